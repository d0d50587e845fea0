import { RUNTIME_FOLDERS } from './hidden-folders.ts';

/**
 * A launcher for /usr/bin/perl, which every system with git has: it makes system calls, so nothing has to be compiled.
 * Arguments: numbers of calls, seccomp program in hex, flags, then counted lists (writable folders, read-only paths,
 * pairs of Landlock rights and path, pairs of variable and value, pair of a port on loopback
 * and the socket it leads to), then the program to start. Flags: `n` own user, mount, IPC and host name namespace, `i`
 * own network namespace as well, `c` give up capabilities, `l<ABI>` Landlock of that version, `t<PORT>` no other port
 * than that can be connected to, `k<FD,…>` descriptors to keep. All others above standard error are closed.
 * `v` mounts are there already: each writable folder, written DEVICE:INODE:PATH, has to be that one, and nothing else may
 * be mounted writable but `/dev` and hidden folders; each read-only path has to be so. `x<HEX>` a secret.
 * What fails ends the launcher with 125 and a line that begins with `sandbox SECRET: `; nothing was started then.
 * It is strict by its test, and has only the parts that it needs: what perl reads takes time of every command.
 * Source of numbers and structures: linux/prctl.h, linux/landlock.h, linux/mount.h, linux/capability.h.
 */
export function launcherScript(parts: { readonly looksAtMounts: boolean; readonly forwards: boolean }): string {
  return [COMMON, parts.looksAtMounts ? MOUNT_CHECKS : '', parts.forwards ? FORWARDER : '', MAIN].join('');
}

const COMMON = String.raw`
my ($numbers, $program, $flags) = splice(@ARGV, 0, 3);
my ($PRCTL, $SECCOMP, $CAPSET, $UNSHARE, $MOUNT, $STATFS) = split(/,/, $numbers);
my ($OPENTREE, $MOVEMOUNT, $OPENAT, $SETATTR) = (428, 429, 437, 442);
my ($RULESET, $RULE, $RESTRICT) = (444, 445, 446);
my $nothing = '';
sub list { my $size = shift(@ARGV) * $_[0]; return splice(@ARGV, 0, $size); }
my ($secret) = $flags =~ /x([0-9A-F]+)/;
sub fail { print STDERR "sandbox $secret: $_[0]: $!\n"; exit 125; }
my @passed = $flags =~ /k([\d,]+)/ ? split(/,/, $1) : ();
sub close_all {
  my %passed = map { $_ => 1 } @passed;
  opendir(my $folder, '/proc/self/fd') or fail('descriptors');
  my @open = grep { /^\d+$/ && $_ > 2 && !$passed{$_} && $_ != fileno($folder) } readdir($folder);
  require POSIX;
  POSIX::close($_) for @open;
}
sub put {
  my ($path, $text) = @_;
  open(my $file, '>', $path) or fail($path);
  syswrite($file, $text) or fail($path);
}
# Follows no link: another command may be exchanging a folder for one at this moment.
sub place {
  my ($path) = @_;
  my $how = pack('Q3', 0x280000, 0, 4);
  return syscall($OPENAT, -100, $path, $how, 24);
}
# Mounts what is at a path onto itself, and gives back the descriptor of the mount.
sub mounted {
  my ($path, $readonly) = @_;
  my $place = place($path);
  $place >= 0 or fail("finding $path");
  my $tree = syscall($OPENTREE, $place, $nothing, 0x89001);
  $tree >= 0 or fail("binding $path");
  attributes($tree, 1, 0) if $readonly;
  syscall($MOVEMOUNT, $tree, $nothing, $place, $nothing, 0x44) == 0 or fail("binding $path");
  return $tree;
}
sub attributes {
  my ($tree, $set, $clear) = @_;
  my $value = pack('Q4', $set, $clear, 0, 0);
  syscall($SETATTR, $tree, $nothing, 0x9000, $value, 32) == 0 or fail('protecting files');
}
`;

const MOUNT_CHECKS = String.raw`
# What is mounted by a path may have been put elsewhere, when a folder was exchanged for a link at that moment.
sub check {
  my %writable;
  for (@_) {
    my ($device, $inode, $path) = /^(\d+):(\d+):(.*)$/s or fail('folders');
    my $place = place($path);
    my @found = $place >= 0 ? stat("/proc/self/fd/$place") : ();
    (@found && $found[0] eq $device && $found[1] eq $inode) or refuse($path);
    $writable{$path} = 1;
  }
  open(my $mounts, '<', '/proc/self/mountinfo') or fail('mounts');
  while (<$mounts>) {
    my ($path, $flags) = (split(/ /))[4, 5];
    next if $flags =~ /^ro\b/ || $path =~ m{^/dev(/|$)|^(${RUNTIME_FOLDERS.join('|')})$};
    $path =~ s/\\([0-7]{3})/chr(oct($1))/ge;
    $writable{$path} || !-e $path or refuse($path);
  }
}
sub check_kept {
  my ($path) = @_;
  my $place = place($path);
  $place >= 0 or refuse($path);
  my $facts = "\0" x 120;
  syscall($STATFS, $place, $facts) == 0 or fail($path);
  unpack('x80 Q', $facts) & 1 or refuse($path);
}
sub refuse {
  print STDERR "sandbox $secret: $_[0] was exchanged for something else while it was being protected\n";
  exit 125;
}
`;

const FORWARDER = String.raw`
# Lives as long as the program that is started: it is a child of it. A program in a domain of Landlock can signal nobody
# outside of it, not even by its death, so its child looks after it.
sub forward {
  my ($port, $proxy) = @_;
  socket(my $listener, 2, 1, 0) or fail('proxy');
  setsockopt($listener, 1, 2, pack('l', 1));
  bind($listener, pack('S n a4 x8', 2, $port, "\x7f\0\0\1")) or fail('proxy');
  listen($listener, 128) or fail('proxy');
  my $parent = $$;
  my $child = fork();
  defined $child or fail('proxy');
  return if $child;
  ends_with_parent();
  open(STDIN, '<', '/dev/null');
  open(STDOUT, '>', '/dev/null');
  open(STDERR, '>', '/dev/null');
  $SIG{CHLD} = 'IGNORE';
  while (1) {
    exit 0 if getppid() != $parent;
    my $ready = '';
    vec($ready, fileno($listener), 1) = 1;
    select($ready, undef, undef, 0.25) > 0 or next;
    accept(my $client, $listener) or next;
    my $worker = fork();
    next if !defined $worker || $worker;
    ends_with_parent();
    socket(my $server, 1, 1, 0) or exit 1;
    connect($server, pack('S Z108', 1, $proxy)) or exit 1;
    copy($client, $server);
    exit 0;
  }
}
sub ends_with_parent {
  my $parent = getppid();
  syscall($PRCTL, 1, 9, 0, 0, 0);
  exit 1 if getppid() != $parent;
}
sub copy {
  my %peer = (fileno($_[0]) => [$_[0], $_[1]], fileno($_[1]) => [$_[1], $_[0]]);
  while (%peer) {
    my $ready = '';
    vec($ready, $_, 1) = 1 for keys %peer;
    select($ready, undef, undef, undef) > 0 or next;
    for my $number (keys %peer) {
      next if !vec($ready, $number, 1);
      my ($from, $to) = @{$peer{$number}};
      my $size = sysread($from, my $bytes, 65536);
      if (!$size) {
        shutdown($to, 1);
        delete $peer{$number};
        next;
      }
      my $done = 0;
      while ($done < $size) {
        my $sent = syswrite($to, $bytes, $size - $done, $done);
        defined $sent or exit 1;
        $done += $sent;
      }
    }
  }
}
`;

const MAIN = String.raw`
my @roots = list(1);
my @kept = list(1);
my @rules = list(2);
my %set = list(2);
my ($port, $proxy) = list(2);
my $first = 3;
my $closed = 1;
for my $fd (@passed, 0x100000000) {
  $closed &&= syscall(436, $first, $fd - 1, 0) == 0 if $fd > $first;
  $first = $fd + 1;
}
$closed or close_all();
if ($flags =~ /n/) {
  my ($user, $group) = ($>, $) + 0);
  my $spaces = 0x10000000 | 0x00020000 | 0x08000000 | 0x04000000;
  $spaces |= 0x40000000 if $flags =~ /i/;
  syscall($UNSHARE, $spaces) == 0 or fail('namespaces');
  put('/proc/self/setgroups', 'deny');
  put('/proc/self/uid_map', "$user $user 1");
  put('/proc/self/gid_map', "$group $group 1");
  my $slash = '/';
  syscall($MOUNT, $nothing, $slash, 0, 0x44000, 0) == 0 or fail('mounts of its own');
  my @trees = map { mounted($_, 0) } @roots;
  my $all = pack('Q4', 1, 0, 0, 0);
  syscall($SETATTR, -100, $slash, 0x8000, $all, 32) == 0 or fail('protecting files');
  attributes($_, 0, 1) for @trees;
  my ($type, $shared, $terminals, $pts) = ('tmpfs', '/dev/shm', 'devpts', '/dev/pts');
  my $new = 'newinstance,ptmxmode=0666,mode=0620';
  syscall($MOUNT, $type, $shared, $type, 6, 0) if -d $shared;
  if (-d $pts) { syscall($MOUNT, $terminals, $pts, $terminals, 10, $new) == 0 or fail('terminals'); }
  mounted($_, 1) for @kept;
  if ($flags =~ /i/ && socket(my $loop, 2, 2, 0)) {
    my $up = pack('a16 s x22', 'lo', 0x41);
    ioctl($loop, 0x8914, $up);
  }
  chdir($ENV{QUIRE_SANDBOX_CWD}) or fail("the working directory $ENV{QUIRE_SANDBOX_CWD}");
}
if ($flags =~ /v/) {
  check(@roots);
  check_kept($_) for @kept;
}
forward($port, $proxy) if defined $port;
delete $ENV{QUIRE_SANDBOX_CWD};
if ($flags =~ /c/) {
  syscall($PRCTL, 24, $_, 0, 0, 0) for 0 .. 63;
  syscall($PRCTL, 47, 4, 0, 0, 0);
  my ($header, $none) = (pack('LL', 0x20080522, 0), pack('L6', 0, 0, 0, 0, 0, 0));
  syscall($CAPSET, $header, $none) == 0 or fail('capabilities');
}
syscall($PRCTL, 38, 1, 0, 0, 0) == 0 or fail('no new privileges');
if ($flags =~ /l(\d+)/) {
  my $version = $1;
  my $handled = 0x1ff2;
  $handled |= 0x2000 if $version >= 2;
  $handled |= 0x4000 if $version >= 3;
  $handled |= 0x8000 if $version >= 5;
  my $attributes = pack('QQQ', $handled, $flags =~ /t\d/ ? 3 : 0, 3);
  my $set = syscall($RULESET, $attributes, $version >= 6 ? 24 : $version >= 4 ? 16 : 8, 0);
  $set >= 0 or fail('Landlock');
  while (my ($rights, $path) = splice(@rules, 0, 2)) {
    my $place = place($path);
    $place >= 0 or next;
    $rights &= 0xc002 unless -d "/proc/self/fd/$place";
    my $rule = pack('Ql', $rights & $handled, $place);
    syscall($RULE, $set, 1, $rule, 0) == 0 or fail("the rule for $path");
  }
  # What the program may write to anyway it may also open by name.
  for my $output ('/proc/self/fd/1', '/proc/self/fd/2') {
    next unless -p $output || -c $output;
    sysopen(my $file, $output, 0x200000) or next;
    my $rule = pack('Ql', 2, fileno($file));
    syscall($RULE, $set, 1, $rule, 0);
  }
  if ($flags =~ /t(\d+)/) {
    my $rule = pack('QQ', 2, $1);
    syscall($RULE, $set, 2, $rule, 0) == 0 or fail('the rule for the proxy');
  }
  syscall($RESTRICT, $set, 0) == 0 or fail('Landlock');
}
my $bytes = pack('H*', $program);
my $filter = pack('S x6 P', length($bytes) / 8, $bytes);
syscall($SECCOMP, 1, 0, $filter) == 0 or fail('seccomp');
$ENV{$_} = $set{$_} for keys %set;
exec { $ARGV[0] } @ARGV;
print STDERR "$ARGV[0]: $!\n";
exit($! == 2 ? 127 : 126);
`;
