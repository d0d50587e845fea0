import type { Attempt } from '../support/attempt.ts';

const STREAM = 'socket(my $s, AF_UNIX, SOCK_STREAM, 0) or exit; connect($s, pack_sockaddr_un';
const DATAGRAM = 'socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or exit; send($s, "x", 0, pack_sockaddr_un';
const PAIR = 'socketpair(my $s, my $t, AF_UNIX, SOCK_DGRAM, 0) or exit; send($s, "x", 0, pack_sockaddr_un';
const ABSTRACT = '("\\0" . substr($ENV{ABSTRACT_STREAM}, 1))';
const ABSTRACT_DATAGRAM = '("\\0" . substr($ENV{ABSTRACT_DATAGRAM}, 1))';
const NO_SIX = 'no IPv6';
/** Through the proxy where there is one, else straight to the server. */
const TO_PROXY =
  'my ($port) = ($ENV{HTTP_PROXY} || $ENV{http_proxy} || "") =~ /:(\\d+)/; socket(my $s, AF_INET, SOCK_STREAM, 0) or exit; connect($s, pack_sockaddr_in($port || $ENV{TCP4}, INADDR_LOOPBACK)) or exit; alarm 2;';
const ASK = `; $| = 1; syswrite($s, $question); sysread($s, my $answer, 4096);`;

/** Whoever listens elsewhere: a container engine, a desktop, an agent of keys, a database, the network. */
export const SOCKETS: readonly Attempt[] = [
  { id: 'S01', title: 'a Unix socket', beside: 'server', steps: [{ perl: `${STREAM}($ENV{UNIX_STREAM}));` }] },
  {
    id: 'S02',
    title: 'a Unix socket, with the network allowed',
    beside: 'server',
    network: 'on',
    steps: [{ perl: `${STREAM}($ENV{UNIX_STREAM}));` }],
  },
  {
    id: 'S03',
    title: 'a Unix datagram socket',
    beside: 'server',
    steps: [{ perl: `${DATAGRAM}($ENV{UNIX_DATAGRAM}));` }],
  },
  {
    id: 'S04',
    title: 'a Unix packet socket',
    beside: 'server',
    steps: [
      { perl: 'socket(my $s, AF_UNIX, SOCK_SEQPACKET, 0) or exit; connect($s, pack_sockaddr_un($ENV{UNIX_PACKET}));' },
    ],
  },
  {
    id: 'S05',
    title: 'a Unix socket of an outside server in the root',
    beside: 'server',
    steps: [{ perl: `${STREAM}($ENV{UNIX_INSIDE}));` }],
  },
  {
    id: 'S06',
    title: 'a Unix socket below /run, as of a container engine',
    beside: 'server',
    steps: [{ perl: `${STREAM}($ENV{UNIX_RUN}));` }],
    canFailUnconfined: '/run can not be written',
  },
  {
    id: 'S07',
    title: 'the bus of the system',
    steps: [{ perl: `${STREAM}("/run/dbus/system_bus_socket")) and got();` }],
    canFailUnconfined: 'there is no bus',
  },
  { id: 'S08', title: 'an abstract socket', beside: 'server', steps: [{ perl: `${STREAM}${ABSTRACT});` }] },
  {
    id: 'S09',
    title: 'an abstract socket, with the network allowed',
    beside: 'server',
    network: 'on',
    steps: [{ perl: `${STREAM}${ABSTRACT});` }],
  },
  {
    id: 'S10',
    title: 'an abstract datagram socket',
    beside: 'server',
    steps: [{ perl: `${DATAGRAM}${ABSTRACT_DATAGRAM});` }],
  },
  {
    id: 'S11',
    title: 'a Unix datagram socket, from one of a connected pair',
    beside: 'server',
    steps: [{ perl: `${PAIR}($ENV{UNIX_DATAGRAM}));` }],
  },
  {
    id: 'S12',
    title: 'a Unix datagram socket, from a pair connected anew',
    beside: 'server',
    steps: [
      {
        perl: 'socketpair(my $s, my $t, AF_UNIX, SOCK_RAW, 0) or exit; connect($s, pack_sockaddr_un($ENV{UNIX_DATAGRAM})) and syswrite($s, "x");',
      },
    ],
  },
  {
    id: 'S13',
    title: 'an abstract datagram socket, from one of a connected pair, with the network allowed',
    beside: 'server',
    network: 'on',
    steps: [{ perl: `${PAIR}${ABSTRACT_DATAGRAM});` }],
  },
  {
    id: 'S14',
    title: 'a Unix datagram socket, from one of a pair whose other end is closed',
    beside: 'server',
    steps: [
      {
        perl: 'my ($s, $t); socketpair($s, $t, AF_UNIX, SOCK_DGRAM, 0) or exit; close $t; connect($s, pack_sockaddr_un($ENV{UNIX_DATAGRAM})) and send($s, "x", 0);',
      },
    ],
  },
  {
    id: 'S15',
    title: 'TCP to this machine',
    beside: 'server',
    steps: [
      {
        perl: 'socket(my $s, AF_INET, SOCK_STREAM, 0) or exit; connect($s, pack_sockaddr_in($ENV{TCP4}, INADDR_LOOPBACK));',
      },
    ],
  },
  {
    id: 'S16',
    title: 'UDP to this machine',
    beside: 'server',
    steps: [
      {
        perl: 'socket(my $s, AF_INET, SOCK_DGRAM, 0) or exit; send($s, "x", 0, pack_sockaddr_in($ENV{UDP4}, INADDR_LOOPBACK));',
      },
    ],
  },
  {
    id: 'S17',
    title: 'TCP over IPv6 to this machine',
    beside: 'server',
    steps: [
      {
        perl: 'socket(my $s, AF_INET6, SOCK_STREAM, 0) or exit; connect($s, pack_sockaddr_in6($ENV{TCP6}, Socket::inet_pton(AF_INET6, "::1")));',
      },
    ],
    canFailUnconfined: NO_SIX,
  },
  {
    id: 'S18',
    title: 'UDP over IPv6 to this machine',
    beside: 'server',
    steps: [
      {
        perl: 'socket(my $s, AF_INET6, SOCK_DGRAM, 0) or exit; send($s, "x", 0, pack_sockaddr_in6($ENV{UDP6}, Socket::inet_pton(AF_INET6, "::1")));',
      },
    ],
    canFailUnconfined: NO_SIX,
  },
  {
    id: 'S19',
    title: 'TCP that sends with its first packet',
    beside: 'server',
    steps: [
      {
        perl: 'socket(my $s, AF_INET, SOCK_STREAM, 0) or exit; send($s, "x", 0x20000000, pack_sockaddr_in($ENV{TCP4}, INADDR_LOOPBACK));',
      },
    ],
    canFailUnconfined: 'the kernel does not do it (net.ipv4.tcp_fastopen)',
  },
  {
    id: 'S20',
    title: 'multipath TCP to this machine',
    beside: 'server',
    steps: [
      {
        perl: 'socket(my $s, AF_INET, SOCK_STREAM, 262) or exit; connect($s, pack_sockaddr_in($ENV{TCP4}, INADDR_LOOPBACK));',
      },
    ],
    canFailUnconfined: 'the kernel has no multipath TCP',
  },
  {
    id: 'S21',
    title: 'a packet to an address of another network',
    steps: [
      {
        perl: 'socket(my $s, AF_INET, SOCK_DGRAM, 0) or exit; connect($s, pack_sockaddr_in(9, inet_aton("198.51.100.1"))) and defined(send($s, "x", 0)) and got();',
      },
    ],
    canFailUnconfined: 'no route to other networks',
  },
  {
    id: 'S22',
    title: 'TCP to this machine’s address in its network',
    beside: 'server',
    steps: [
      {
        perl: 'socket(my $s, AF_INET, SOCK_STREAM, 0) or exit; connect($s, pack_sockaddr_in($ENV{TCP4}, inet_aton($ENV{ADDRESS} || "127.0.0.2")));',
      },
    ],
  },
  {
    id: 'S23',
    title: 'a raw socket',
    steps: [{ perl: 'socket(my $s, AF_INET, SOCK_RAW, 1) and got();' }],
    canFailUnconfined: 'needs root',
  },
  {
    id: 'S24',
    title: 'a raw socket, with the network allowed',
    network: 'on',
    steps: [{ perl: 'socket(my $s, AF_INET, SOCK_RAW, 1) and got();' }],
    canFailUnconfined: 'needs root',
  },
  {
    id: 'S25',
    title: 'a socket that hears every packet',
    network: 'on',
    steps: [{ perl: 'socket(my $s, 17, SOCK_RAW, 0x0300) and got();' }],
    canFailUnconfined: 'needs root',
  },
  {
    id: 'S26',
    title: 'a socket to the host of a virtual machine',
    steps: [{ perl: 'socket(my $s, 40, SOCK_STREAM, 0) and got();' }],
    canFailUnconfined: 'the kernel has no such sockets',
  },
  {
    id: 'S27',
    title: 'a socket to the kernel’s ciphers',
    steps: [{ perl: 'socket(my $s, 38, SOCK_SEQPACKET, 0) and got();' }],
    canFailUnconfined: 'the kernel has no such sockets',
  },
  {
    id: 'S28',
    title: 'a change of the host’s addresses, with the network allowed',
    network: 'on',
    steps: [
      {
        perl: 'socket(my $s, 16, SOCK_RAW, 0) or exit; my $message = pack("C C C C L", 2, 8, 0, 254, 1) . pack("S S a4", 8, 2, inet_aton("127.0.0.1")) . pack("S S a4", 8, 1, inet_aton("127.0.0.1")); my $packet = pack("L S S L L", 16 + length($message), 20, 0x605, 1, 0) . $message; send($s, $packet, 0, pack("S S L L", 16, 0, 0, 0)); recv($s, my $answer, 4096, 0); my $error = unpack("x16 l", $answer); got() if $error == -17 || $error == 0;',
      },
    ],
    canFailUnconfined: 'needs root',
  },
  {
    id: 'S29',
    title: 'a queue that opens sockets past the filter',
    steps: [{ perl: 'my $parameters = "\\0" x 120; let_through(sc("io_uring_setup", 4, $parameters));' }],
    canFailUnconfined: 'the kernel has no io_uring',
  },
  {
    id: 'S30',
    title: 'a Unix socket by the calls of x32',
    beside: 'server',
    steps: [
      {
        perl: 'my $fd = syscall(0x40000000 + 41, 1, 1, 0); exit if $fd < 0; open(my $s, "+<&=", $fd); connect($s, pack_sockaddr_un($ENV{UNIX_STREAM})) and got();',
      },
    ],
    canFailUnconfined: 'the kernel has no x32',
  },
  {
    id: 'S32',
    title: 'TCP past the proxy',
    beside: 'server',
    network: 'proxied',
    steps: [
      {
        perl: 'socket(my $s, AF_INET, SOCK_STREAM, 0) or exit; connect($s, pack_sockaddr_in($ENV{TCP4}, INADDR_LOOPBACK));',
      },
    ],
  },
  {
    id: 'S33',
    title: 'UDP past the proxy',
    beside: 'server',
    network: 'proxied',
    steps: [
      {
        perl: 'socket(my $s, AF_INET, SOCK_DGRAM, 0) or exit; send($s, "x", 0, pack_sockaddr_in($ENV{UDP4}, INADDR_LOOPBACK));',
      },
    ],
  },
  {
    id: 'S34',
    title: 'a Unix socket where only the proxy may be reached',
    beside: 'server',
    network: 'proxied',
    steps: [{ perl: `${STREAM}($ENV{UNIX_STREAM}));` }],
  },
  ...[
    ['S35', 'a tunnel through the proxy to this machine', 'CONNECT 127.0.0.1:$ENV{TCP4} HTTP/1.1\\r\\n\\r\\n'],
    [
      'S36',
      'a page of this machine through the proxy',
      'GET http://127.0.0.1:$ENV{TCP4}/ HTTP/1.1\\r\\nHost: allowed.invalid\\r\\n\\r\\n',
    ],
    [
      'S37',
      'an allowed host as the user in an address',
      'GET http://allowed.invalid\\@127.0.0.1:$ENV{TCP4}/ HTTP/1.1\\r\\nHost: allowed.invalid\\r\\n\\r\\n',
    ],
    [
      'S38',
      'a null byte before the name of an allowed host',
      'CONNECT 127.0.0.1\\0.allowed.invalid:$ENV{TCP4} HTTP/1.1\\r\\n\\r\\n',
    ],
    [
      'S39',
      'this machine as a number',
      'CONNECT 2130706433:$ENV{TCP4} HTTP/1.1\\r\\nHost: allowed.invalid\\r\\n\\r\\n',
    ],
  ].map(
    ([id = '', title = '', question = '']): Attempt => ({
      id,
      title,
      beside: 'server',
      network: 'proxied',
      steps: [{ perl: `${TO_PROXY} my $question = "${question}"${ASK}` }],
    }),
  ),
  {
    id: 'S31',
    title: 'a Unix socket by the calls of 32-bit programs',
    beside: 'server',
    needs: ['gcc'],
    prepare: `cat > outside/old.c <<'END'
#include <string.h>
#include <sys/socket.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/un.h>
static long call(long n, long a, long b, long c) {
  long r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11"); return r;
}
int main(void) {
  struct sockaddr_un *to = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  to->sun_family = AF_UNIX; strncpy(to->sun_path, getenv("UNIX_STREAM"), sizeof to->sun_path - 1);
  long s = call(359, AF_UNIX, SOCK_STREAM, 0);
  return call(362, s, (long)to, sizeof *to) != 0;
}
END
gcc -o outside/old outside/old.c`,
    steps: ['"$OUT/old"'],
    canFailUnconfined: 'the kernel runs no 32-bit programs',
  },
];
