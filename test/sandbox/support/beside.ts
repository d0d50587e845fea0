/**
 * Listens on every kind of socket, at a named pipe and at a terminal, and says `received KIND` for whatever comes.
 * Arguments: folder for its files, folder in the root, abstract name, folder of system sockets.
 */
export const SERVER = String.raw`
use strict; use Socket; use Fcntl; use IO::Select;
$| = 1; $SIG{PIPE} = 'IGNORE';
my ($out, $root, $name, $run) = @ARGV;
my (%kind, %listens, @keep); my $all = IO::Select->new; my %said;
sub watch { my ($socket, $kind, $listens) = @_; $kind{fileno $socket} = $kind; $listens{fileno $socket} = $listens; $all->add($socket); push @keep, $socket; }
sub unix { my ($type, $path, $kind) = @_; socket(my $s, AF_UNIX, $type, 0) or return; bind($s, pack_sockaddr_un($path)) or return;
  listen($s, 5) if $type != SOCK_DGRAM; watch($s, $kind, $type != SOCK_DGRAM); $said{$kind} = $path; }
unix(SOCK_STREAM, "$out/stream.sock", 'UNIX_STREAM'); unix(SOCK_DGRAM, "$out/datagram.sock", 'UNIX_DATAGRAM');
unix(SOCK_SEQPACKET, "$out/packet.sock", 'UNIX_PACKET'); unix(SOCK_STREAM, "$root/inside.sock", 'UNIX_INSIDE');
unix(SOCK_STREAM, "$run/$name.sock", 'UNIX_RUN');
unix(SOCK_STREAM, "\0$name", 'ABSTRACT_STREAM'); unix(SOCK_DGRAM, "\0$name-d", 'ABSTRACT_DATAGRAM');
sub internet { my ($family, $type, $kind) = @_; socket(my $s, $family, $type, 0) or return;
  my $any = $family == AF_INET ? pack_sockaddr_in(0, INADDR_ANY) : pack_sockaddr_in6(0, Socket::inet_pton(AF_INET6, '::1'));
  bind($s, $any) or return; listen($s, 5) if $type == SOCK_STREAM; watch($s, $kind, $type == SOCK_STREAM);
  my ($port) = $family == AF_INET ? unpack_sockaddr_in(getsockname $s) : unpack_sockaddr_in6(getsockname $s); $said{$kind} = $port; }
internet(AF_INET, SOCK_STREAM, 'TCP4'); internet(AF_INET, SOCK_DGRAM, 'UDP4');
internet(AF_INET6, SOCK_STREAM, 'TCP6'); internet(AF_INET6, SOCK_DGRAM, 'UDP6');
if (sysopen(my $master, '/dev/ptmx', O_RDWR | O_NOCTTY)) {
  my ($unlock, $number) = (pack('i', 0), pack('i', 0));
  ioctl($master, 0x40045431, $unlock); ioctl($master, 0x80045430, $number);
  $said{TERMINAL} = '/dev/pts/' . unpack('i', $number);
  sysopen(my $slave, $said{TERMINAL}, O_RDWR | O_NOCTTY); push @keep, $slave; watch($master, 'TERMINAL', 0);
}
system('mkfifo', "$out/pipe");
if (sysopen(my $pipe, "$out/pipe", O_RDWR)) { watch($pipe, 'PIPE', 0); }
$all->add(\*STDIN);
print join(' ', map { "$_=" . ($said{$_} =~ s/\0/@/r) } sort keys %said), "\n";
my $isOver = 0;
while (my @ready = $all->can_read($isOver ? 0 : undef)) {
  for my $one (@ready) {
    if ($one == \*STDIN) { $isOver = 1; $all->remove($one); next; }
    my $kind = $kind{fileno $one};
    print "received $kind\n";
    if ($listens{fileno $one}) { accept(my $peer, $one); push @keep, $peer; } else { recv_all($one); }
  }
}
unlink("$run/$name.sock");
sub recv_all { sysread($_[0], my $bytes, 65536); }
`;

/** Has memory, a file and a working directory of its own, and says which signals reach it. `ask` prints its memory. */
export const VICTIM = String.raw`
use strict; use Fcntl; $| = 1;
my ($out) = @ARGV; chdir $out;
my $memory = 'untouched-' . 'x' x 54;
open(my $file, '>>', "$out/open-file"); my $descriptor = fileno $file;
for my $name (qw(TERM USR1 USR2 HUP INT IO CONT URG WINCH)) { $SIG{$name} = sub { print "signal $name\n"; }; }
my $address = unpack('Q', pack('P', $memory));
print "VICTIM=$$ VICTIM_ADDRESS=$address VICTIM_FD=$descriptor\n";
while (1) {
  my $read = sysread(STDIN, my $line, 100);
  next if !defined $read; last if $read == 0;
  print "memory ", substr($memory, 0, 64), "\n";
}
`;

/** Runs a program at a terminal of its own. What is typed there without anybody having typed it, is noted in a file. */
export const TERMINAL = `
use strict; use Fcntl; use POSIX ();
my $note = shift @ARGV;
sysopen(my $master, '/dev/ptmx', O_RDWR | O_NOCTTY) or exit 9;
my ($unlock, $number) = (pack('i', 0), pack('i', 0));
ioctl($master, 0x40045431, $unlock); ioctl($master, 0x80045430, $number);
my $path = '/dev/pts/' . unpack('i', $number);
my $child = fork;
if ($child == 0) {
  POSIX::setsid(); sysopen(my $slave, $path, O_RDWR) or exit 9; ioctl($slave, 0x540E, 0);
  POSIX::dup2(fileno $slave, $_) for 0 .. 2; exec { $ARGV[0] } @ARGV; exit 127;
}
while (sysread($master, my $bytes, 4096)) { if ($bytes =~ /%/) { open(my $file, '>', $note); close $file; } }
waitpid($child, 0); exit($? >> 8);
`;
