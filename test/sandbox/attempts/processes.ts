import type { Attempt } from '../support/attempt.ts';

const TRACING = 'only parents may trace (Yama)';

/** Other processes of the same user. */
export const PROCESSES: readonly Attempt[] = [
  {
    id: 'P21',
    title: 'a program in the root that runs as its owner, for whoever else starts it',
    prepare: 'cp "$(command -v env)" root/src/tool',
    guards: ['root/src/tool'],
    steps: ['chmod 4755 src/tool'],
  },
  { id: 'P01', title: 'a signal', beside: 'victim', steps: ['kill -TERM "$VICTIM"'] },
  {
    id: 'P02',
    title: 'a signal through a descriptor of the process',
    beside: 'victim',
    steps: [{ perl: 'my $fd = sc("pidfd_open", $VICTIM, 0); sc("pidfd_send_signal", $fd, 10, 0, 0) if $fd >= 0;' }],
  },
  {
    id: 'P03',
    title: 'a signal by owning a pipe',
    beside: 'victim',
    steps: [
      {
        perl: 'use IO::Handle; pipe(my $read, my $write); fcntl($read, F_SETOWN, $VICTIM); fcntl($read, F_SETFL, O_ASYNC | O_NONBLOCK); syswrite($write, "x"); select(undef, undef, undef, 0.05);',
      },
    ],
  },
  {
    id: 'P04',
    title: 'a signal to whoever started the command',
    steps: [{ perl: 'got() if kill(0, 0 + $ENV{OWNER});' }],
  },
  {
    id: 'P05',
    title: 'tracing, and its memory word by word',
    beside: 'victim',
    steps: [
      {
        perl: 'sc("ptrace", 16, $VICTIM, 0, 0) == 0 or exit; waitpid($VICTIM, 0); sc("ptrace", 4, $VICTIM, 0 + $ENV{VICTIM_ADDRESS}, 0x4141414141414141); sc("ptrace", 17, $VICTIM, 0, 0);',
      },
    ],
    canFailUnconfined: TRACING,
  },
  {
    id: 'P06',
    title: 'its memory in one call',
    beside: 'victim',
    steps: [
      {
        perl: 'my $text = "A" x 8; my $from = pack("P Q", $text, 8); my $to = pack("Q Q", $ENV{VICTIM_ADDRESS}, 8); sc("process_vm_writev", $VICTIM, $from, 1, $to, 1, 0);',
      },
    ],
    canFailUnconfined: TRACING,
  },
  {
    id: 'P07',
    title: 'its memory as a file',
    beside: 'victim',
    steps: [
      {
        perl: 'sysopen(my $file, "/proc/$VICTIM/mem", O_RDWR) or exit; sysseek($file, 0 + $ENV{VICTIM_ADDRESS}, 0); syswrite($file, "AAAA");',
      },
    ],
    canFailUnconfined: TRACING,
  },
  {
    id: 'P08',
    title: 'its limits',
    beside: 'victim',
    steps: [{ perl: 'my $limit = pack("QQ", 7, 7); sc("prlimit64", $VICTIM, 4, $limit, 0);' }],
  },
  { id: 'P09', title: 'its priority', beside: 'victim', steps: [{ perl: 'sc("setpriority", 0, $VICTIM, 19);' }] },
  {
    id: 'P10',
    title: 'its processors',
    beside: 'victim',
    steps: [{ perl: 'my $mask = pack("Q", 1); sc("sched_setaffinity", $VICTIM, 8, $mask);' }],
    canFailUnconfined: 'there is one processor',
  },
  {
    id: 'P11',
    title: 'its scheduling',
    beside: 'victim',
    steps: [{ perl: 'my $parameters = pack("i", 0); sc("sched_setscheduler", $VICTIM, 3, $parameters);' }],
  },
  {
    id: 'P12',
    title: 'its disk priority',
    beside: 'victim',
    steps: [{ perl: 'got() if sc("ioprio_set", 1, $VICTIM, 0x6007) == 0;' }],
  },
  {
    id: 'P13',
    title: 'whether it is ended first when memory is short',
    beside: 'victim',
    steps: ['echo 900 > "/proc/$VICTIM/oom_score_adj"'],
  },
  {
    id: 'P14',
    title: 'one of its descriptors taken over',
    beside: 'victim',
    steps: [
      {
        perl: 'my $fd = sc("pidfd_open", $VICTIM, 0); got() if $fd >= 0 && sc("pidfd_getfd", $fd, 0 + $ENV{VICTIM_FD}, 0) >= 0;',
      },
    ],
    canFailUnconfined: TRACING,
  },
  {
    id: 'P15',
    title: 'its namespaces',
    beside: 'victim',
    steps: [
      { perl: 'open(my $space, "<", "/proc/$VICTIM/ns/uts") or exit; got() if sc("setns", fileno($space), 0) == 0;' },
    ],
    canFailUnconfined: 'needs root',
  },
  {
    id: 'P16',
    title: 'the namespaces of the first process',
    steps: [{ perl: 'open(my $space, "<", "/proc/1/ns/mnt") or exit; got() if sc("setns", fileno($space), 0) == 0;' }],
    canFailUnconfined: 'needs root, and a first process that can be looked at',
  },
  {
    id: 'P17',
    title: 'a line typed into one’s own terminal',
    steps: [
      {
        perl: 'my $character = "%"; ioctl(STDIN, 0x5412, $character); select(undef, undef, undef, 0.05);',
        terminal: true,
      },
    ],
    canFailUnconfined: 'the kernel lets nobody type for another (dev.tty.legacy_tiocsti)',
  },
  {
    id: 'P18',
    title: 'a program that runs as another user',
    prepare:
      'cp "$(command -v env)" outside/as-other; chown 1 outside/as-other 2> /dev/null || true; chmod 4755 outside/as-other',
    steps: [
      '"$OUT/as-other" perl -e \'open(my $file, ">", "$ENV{ROOT}/got") if $> == 1\'; [ "$("$OUT/as-other" perl -e \'print $>\')" = 1 ] && echo x > got; true',
    ],
    canFailUnconfined: 'needs root',
  },
  {
    id: 'P19',
    title: 'memory shared by key with a process outside',
    prepare: "perl -e 'my $id = shmget(0x51000000 + ($$ & 0xffff), 64, 01666); print $id' > outside/segment",
    steps: [
      { perl: 'open(my $file, "<", "$OUT/segment"); my $id = <$file>; got() if shmwrite($id, "x", 0, 1);' },
      { perl: 'open(my $file, "<", "$OUT/segment"); shmctl(<$file>, 0, 0);', by: 'outside' },
    ],
  },
  {
    id: 'P20',
    title: 'a queue of messages of a process outside',
    prepare: "perl -e 'my $id = msgget(0x52000000 + ($$ & 0xffff), 01666); print $id' > outside/queue",
    steps: [
      {
        perl: 'open(my $file, "<", "$OUT/queue"); my $id = <$file>; got() if msgsnd($id, pack("l! a*", 1, "x"), 04000);',
      },
      { perl: 'open(my $file, "<", "$OUT/queue"); msgctl(<$file>, 0, 0);', by: 'outside' },
    ],
  },
];
