/** Numbers of system calls by machine. Source: the kernel's tables for x86_64, and the generic one of aarch64. */
const NUMBERS: Readonly<Record<string, readonly [x64: number, arm64: number]>> = {
  acct: [163, 89],
  add_key: [248, 217],
  bpf: [321, 280],
  chroot: [161, 51],
  clone3: [435, 435],
  fanotify_init: [300, 262],
  fsopen: [430, 430],
  init_module: [175, 105],
  io_uring_setup: [425, 425],
  ioprio_set: [251, 30],
  kexec_load: [246, 104],
  linkat: [265, 37],
  mknodat: [259, 33],
  mount: [165, 40],
  mount_setattr: [442, 442],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  perf_event_open: [298, 241],
  pidfd_getfd: [438, 438],
  pidfd_open: [434, 434],
  pidfd_send_signal: [424, 424],
  pivot_root: [155, 41],
  prlimit64: [302, 261],
  process_vm_writev: [311, 271],
  ptrace: [101, 117],
  reboot: [169, 142],
  renameat2: [316, 276],
  sched_setaffinity: [203, 122],
  sched_setscheduler: [144, 119],
  setns: [308, 268],
  setpriority: [141, 140],
  settimeofday: [164, 170],
  setxattr: [188, 5],
  umount2: [166, 39],
  unshare: [272, 97],
  userfaultfd: [323, 282],
};

/**
 * `sc(name, …)`: a system call by name. `got()`: the attempt says from within that something worked.
 * `let_through(result)`: says so when the call was made or refused for its arguments, not for who made it.
 */
export function perlPrelude(): string {
  const index = process.arch === 'arm64' ? 1 : 0;
  const numbers = Object.entries(NUMBERS).map(([name, of]) => `${name} => ${of[index]}`);
  return `
use strict; use Socket; use Fcntl; use Errno;
my %number = (${numbers.join(', ')});
my ($ROOT, $OUT, $PLACE) = @ENV{qw(ROOT OUT PLACE)};
my $VICTIM = 0 + ($ENV{VICTIM} // 0);
sub sc { my $name = shift; return syscall($number{$name}, @_); }
sub got { open(my $file, '>', "$ROOT/got") or return; print $file 'x'; close $file; }
sub let_through { got() if $_[0] >= 0 || !($!{EPERM} || $!{EACCES} || $!{ENOSYS}); }
`;
}
