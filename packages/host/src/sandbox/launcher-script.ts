/**
 * A launcher for /usr/bin/perl, which every system with git has: it makes system calls, so nothing has to be compiled.
 * Arguments: numbers of calls, seccomp program in hex, flags, then three counted lists (writable roots, read-only paths,
 * pairs of Landlock rights and path), then the program to start. Flags: `n` own user, mount, IPC and host name
 * namespace, `i` own network namespace as well, `c` give up capabilities, `l<ABI>` Landlock of that version.
 * What fails ends the launcher with 125 and a line that begins with `sandbox:`; nothing was started then.
 * Source of numbers and structures: linux/prctl.h, linux/landlock.h, linux/mount.h, linux/capability.h.
 */
export const LAUNCHER = String.raw`
use strict;
my ($numbers, $program, $flags) = splice(@ARGV, 0, 3);
my ($PRCTL, $SECCOMP, $CAPSET, $UNSHARE, $MOUNT) = split(/,/, $numbers);
my ($SETATTR, $RULESET, $RULE, $RESTRICT) = (442, 444, 445, 446);
sub list { my $size = shift(@ARGV) * $_[0]; return splice(@ARGV, 0, $size); }
sub fail { print STDERR "sandbox: $_[0]: $!\n"; exit 125; }
sub put {
  my ($path, $text) = @_;
  open(my $file, '>', $path) or fail($path);
  syswrite($file, $text) or fail($path);
}
sub attributes {
  my ($path, $set, $clear) = @_;
  my $value = pack('Q4', $set, $clear, 0, 0);
  syscall($SETATTR, -100, $path, 0x8000, $value, 32) == 0 or fail("protecting $path");
}
my @roots = list(1);
my @kept = list(1);
my @rules = list(2);
my $nothing = '';
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
  for my $path (@roots) { syscall($MOUNT, $path, $path, 0, 0x5000, 0) == 0 or fail("binding $path"); }
  attributes('/', 1, 0);
  attributes($_, 0, 1) for @roots;
  my ($type, $shared) = ('tmpfs', '/dev/shm');
  syscall($MOUNT, $type, $shared, $type, 6, 0) if -d $shared;
  for my $path (@kept) {
    syscall($MOUNT, $path, $path, 0, 0x5000, 0) == 0 or fail("binding $path");
    attributes($path, 1, 0);
  }
  if ($flags =~ /i/ && socket(my $loop, 2, 2, 0)) {
    my $up = pack('a16 s x22', 'lo', 0x41);
    ioctl($loop, 0x8914, $up);
  }
  chdir($ENV{QUIRE_SANDBOX_CWD}) or fail("the working directory $ENV{QUIRE_SANDBOX_CWD}");
}
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
  my $attributes = pack('QQQ', $handled, 0, 3);
  my $set = syscall($RULESET, $attributes, $version >= 6 ? 24 : $version >= 4 ? 16 : 8, 0);
  $set >= 0 or fail('Landlock');
  while (my ($rights, $path) = splice(@rules, 0, 2)) {
    sysopen(my $file, $path, 0x280000) or next;
    $rights &= 0xc002 unless -d $path;
    my $rule = pack('Ql', $rights & $handled, fileno($file));
    syscall($RULE, $set, 1, $rule, 0) == 0 or fail("the rule for $path");
  }
  syscall($RESTRICT, $set, 0) == 0 or fail('Landlock');
}
my $bytes = pack('H*', $program);
my $filter = pack('S x6 P', length($bytes) / 8, $bytes);
syscall($SECCOMP, 1, 0, $filter) == 0 or fail('seccomp');
exec { $ARGV[0] } @ARGV;
print STDERR "$ARGV[0]: $!\n";
exit($!{ENOENT} ? 127 : 126);
`;
