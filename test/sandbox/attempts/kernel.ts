import type { Attempt } from '../support/attempt.ts';

const ROOT_ONLY = 'needs root';

/** Calls and files that belong to whoever runs the machine. Where the call would harm it, only being let through counts. */
export const KERNEL: readonly Attempt[] = [
  {
    id: 'K01',
    title: 'a mount over a folder of the root',
    steps: ['mount -t tmpfs none src && echo x > got; umount src'],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K02',
    title: 'a folder from outside mounted into the root',
    steps: ['mount --bind "$OUT" src && echo x > src/new; umount src'],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K03',
    title: 'a layer over a folder from outside',
    steps: [
      'mkdir work; mount -t overlay -o "lowerdir=src,upperdir=$OUT/folder,workdir=$OUT/.git" none lib && echo x > lib/new; umount lib',
    ],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K04',
    title: 'the protection of .git unmounted',
    steps: [
      {
        perl: 'my $path = "$ROOT/.git"; sc("umount2", $path, 2); open(my $file, ">", "$ROOT/.git/hooks/pre-commit"); close $file;',
      },
    ],
  },
  {
    id: 'K05',
    title: 'what is read-only made writable again',
    steps: ['test -w "$OUT/kept" || mount -o remount,bind,rw /; echo x > "$OUT/new"'],
  },
  {
    id: 'K06',
    title: 'what is read-only made writable again by the new call',
    steps: [
      {
        perl: 'my ($path, $value) = ("/", pack("Q4", 0, 1, 0, 0)); sc("mount_setattr", -100, $path, 0x8000, $value, 32) if !-w "$OUT/kept"; open(my $file, ">", "$OUT/new"); close $file;',
      },
    ],
  },
  {
    id: 'K07',
    title: 'a file system by the new calls',
    steps: [{ perl: 'my $type = "tmpfs"; got() if sc("fsopen", $type, 0) >= 0;' }],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K08',
    title: 'a copy of a mount by the new calls',
    steps: [{ perl: 'my $path = "/"; got() if sc("open_tree", -100, $path, 1) >= 0;' }],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K09',
    title: 'another root folder',
    steps: [
      { perl: 'my $path = "$ROOT/src"; if (sc("chroot", $path) == 0) { open(my $file, ">", "got"); close $file; }' },
    ],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K10',
    title: 'a user namespace of one’s own',
    steps: [{ perl: 'got() if sc("unshare", 0x10000000) == 0;' }],
    canFailUnconfined: 'users may make no namespaces',
  },
  {
    id: 'K11',
    title: 'a mount namespace of one’s own',
    steps: [{ perl: 'got() if sc("unshare", 0x00020000) == 0;' }],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K12',
    title: 'a user namespace with a new process',
    steps: [
      {
        perl: 'my $arguments = pack("Q11", 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0); my $child = sc("clone3", $arguments, 88); if ($child == 0) { got(); exit 0; } waitpid($child, 0);',
      },
    ],
    canFailUnconfined: 'users may make no namespaces',
  },
  {
    id: 'K13',
    title: 'a user namespace by the calls of x32',
    steps: [{ perl: 'got() if syscall(0x40000000 + 272, 0x10000000) == 0;' }],
    canFailUnconfined: 'the kernel has no x32',
  },
  {
    id: 'K14',
    title: 'a key in the session of the owner',
    steps: [
      {
        perl: 'my ($type, $name, $text) = ("user", "quire-escape", "x"); got() if sc("add_key", $type, $name, $text, 1, -2) >= 0;',
      },
    ],
    canFailUnconfined: 'the kernel keeps no keys',
  },
  {
    id: 'K15',
    title: 'a program in the kernel',
    steps: [{ perl: 'my $map = pack("L4 x104", 2, 4, 4, 1); got() if sc("bpf", 0, $map, 120) >= 0;' }],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K16',
    title: 'counting of events of all processes',
    steps: [
      { perl: 'my $event = pack("L L Q x112", 1, 128, 0); let_through(sc("perf_event_open", $event, -1, 0, -1, 0));' },
    ],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K17',
    title: 'handling of page faults',
    steps: [{ perl: 'got() if sc("userfaultfd", 0) >= 0;' }],
    canFailUnconfined: 'the kernel does not do it, or needs root',
  },
  {
    id: 'K18',
    title: 'another kernel',
    steps: [{ perl: 'let_through(sc("kexec_load", 0, 0, 0, 0x4000));' }],
    canFailUnconfined: 'needs root and a kernel that can start another',
  },
  {
    id: 'K19',
    title: 'a module of the kernel',
    steps: [{ perl: 'my ($image, $none) = ("none", ""); let_through(sc("init_module", $image, 4, $none));' }],
    canFailUnconfined: 'needs root and a kernel that takes modules',
  },
  {
    id: 'K20',
    title: 'a node of a disk in the root',
    steps: [{ perl: 'my $path = "$ROOT/src/disk"; got() if sc("mknodat", -100, $path, 0060600, 7 * 256 + 200) == 0;' }],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K21',
    title: 'a folder outside by its handle',
    steps: [
      {
        perl: 'my ($path, $handle, $mount) = ($OUT, pack("L l x128", 128, 0), pack("i", 0)); sc("name_to_handle_at", -100, $path, $handle, $mount, 0); opendir(my $here, $ROOT); my $fd = sc("open_by_handle_at", fileno($here), $handle, 0200000); if ($fd >= 0) { open(my $file, ">", "/proc/self/fd/$fd/new"); close $file; }',
      },
    ],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K22',
    title: 'the accounting of processes',
    steps: [{ perl: 'my $path = "$ROOT/none/none"; let_through(sc("acct", $path));' }],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K23',
    title: 'the start of the machine',
    steps: [{ perl: 'let_through(sc("reboot", 1, 2, 3, 0));' }],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K24',
    title: 'the clock',
    steps: [{ perl: 'let_through(sc("settimeofday", 0, 0));' }],
    canFailUnconfined: ROOT_ONLY,
  },
  {
    id: 'K25',
    title: 'watching and refusing what others open',
    steps: [{ perl: 'got() if sc("fanotify_init", 4, 0) >= 0;' }],
    canFailUnconfined: ROOT_ONLY,
  },
  ...[
    ['K26', 'what happens when a process crashes', '/proc/sys/kernel/core_pattern'],
    ['K27', 'keys of the kernel', '/proc/sysrq-trigger'],
    ['K28', 'the program that the kernel loads modules with', '/proc/sys/kernel/modprobe'],
    ['K29', 'the power of the machine', '/sys/power/state'],
    ['K30', 'the messages of the kernel', '/dev/kmsg'],
    ['K31', 'the memory of the machine', '/dev/mem'],
    ['K32', 'the group of another process', '/sys/fs/cgroup/cgroup.procs'],
    ['K33', 'the program that the kernel starts for new devices', '/sys/kernel/uevent_helper'],
  ].map(([id = '', title = '', path = '']) => ({
    id,
    title: `${title} (${path}), opened for writing`,
    steps: [{ perl: `sysopen(my $file, '${path}', O_WRONLY) and got();` }],
    canFailUnconfined: 'needs root, or is not there',
  })),
  {
    id: 'K34',
    title: 'privileges',
    steps: [
      {
        perl: 'open(my $file, "<", "/proc/self/status"); my ($held) = join("", <$file>) =~ /^CapEff:\\s*(\\S+)/m; got() if hex($held) != 0;',
      },
    ],
    canFailUnconfined: ROOT_ONLY,
  },
];
