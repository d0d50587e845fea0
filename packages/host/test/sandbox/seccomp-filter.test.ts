import { expect, test } from 'vitest';
import { type FilterOptions, seccompFilter } from '../../src/sandbox/seccomp-filter.ts';
import { type SystemCalls, systemCallsOf } from '../../src/sandbox/system-calls.ts';

const ALLOWED = 'allowed';

/** Runs a program as the kernel does, over the number, the architecture and the low halves of the arguments. */
function decide(
  program: Buffer,
  call: { readonly number: number; readonly architecture: number; readonly args?: readonly number[] },
): string {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number, 0);
  data.writeUInt32LE(call.architecture, 4);
  for (const [index, value] of (call.args ?? []).entries()) data.writeUInt32LE(value >>> 0, 16 + index * 8);
  let accumulator = 0;
  for (let index = 0; index < program.length / 8; index += 1) {
    const code = program.readUInt16LE(index * 8);
    const [ifTrue, ifFalse] = [program.readUInt8(index * 8 + 2), program.readUInt8(index * 8 + 3)];
    const value = program.readUInt32LE(index * 8 + 4);
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x15) index += accumulator === value ? ifTrue : ifFalse;
    else if (code === 0x35) index += accumulator >= value ? ifTrue : ifFalse;
    else if (code === 0x45) index += (accumulator & value) !== 0 ? ifTrue : ifFalse;
    else if (code === 0x06) return value === 0x7fff0000 ? ALLOWED : `errno ${value & 0xffff}`;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the program has no end');
}

function known(architecture: string): SystemCalls {
  const calls = systemCallsOf(architecture);
  if (calls === undefined) throw new Error(architecture);
  return calls;
}

/** Numbers by name, from the tables of the kernel. */
const NUMBERS = {
  x64: {
    read: 0,
    getpid: 39,
    openat: 257,
    ptrace: 101,
    process_vm_writev: 311,
    mount: 165,
    keyctl: 250,
    bpf: 321,
    userfaultfd: 323,
    io_uring_setup: 425,
    perf_event_open: 298,
    unshare: 272,
    setns: 308,
    open_by_handle_at: 304,
    fchmod: 91,
    fchmodat: 268,
    sendto: 44,
  },
  arm64: {
    read: 63,
    getpid: 172,
    openat: 56,
    ptrace: 117,
    process_vm_writev: 271,
    mount: 40,
    keyctl: 219,
    bpf: 280,
    userfaultfd: 282,
    io_uring_setup: 425,
    perf_event_open: 241,
    unshare: 97,
    setns: 268,
    open_by_handle_at: 265,
    fchmod: 52,
    fchmodat: 53,
    sendto: 206,
  },
} as const;

const REFUSED = [
  'ptrace',
  'process_vm_writev',
  'mount',
  'keyctl',
  'bpf',
  'userfaultfd',
  'io_uring_setup',
  'perf_event_open',
  'unshare',
  'setns',
  'open_by_handle_at',
] as const;

for (const architecture of ['x64', 'arm64'] as const) {
  const calls = known(architecture);
  const numbers = NUMBERS[architecture];
  const ask = (number: number, args: readonly number[] = [], internet: FilterOptions['internet'] = 'any'): string =>
    decide(seccompFilter(calls, { internet }), { number, architecture: calls.architecture, args });

  test(`${architecture}: what leads past files and namespaces is refused, and ordinary calls are not [SBX-30]`, () => {
    const table = Object.entries(numbers).map(([name, number]) => [name, ask(number)]);
    expect(table).toEqual(
      Object.keys(numbers).map((name) => [name, REFUSED.some((other) => other === name) ? 'errno 1' : ALLOWED]),
    );
    expect(decide(seccompFilter(calls, { internet: 'any' }), { number: numbers.read, architecture: 0x40000003 })).toBe(
      'errno 38',
    );
    expect(ask(calls.clone3)).toBe('errno 38');
    expect([ask(calls.clone, [17]), ask(calls.clone, [0x10000011])]).toEqual([ALLOWED, 'errno 1']);
    expect([ask(calls.ioctl, [0, 0x5413]), ask(calls.ioctl, [0, 0x5412]), ask(calls.ioctl, [0, 0x541c])]).toEqual([
      ALLOWED,
      'errno 1',
      'errno 1',
    ]);
    expect([ask(calls.prlimit, [0, 7]), ask(calls.prlimit, [1234, 7])]).toEqual([ALLOWED, 'errno 1']);
  });

  test(`${architecture}: sockets are those of the internet, as far as the network is open [SBX-31]`, () => {
    const sockets = {
      unix: [1, 1, 0],
      tcp: [2, 0x80801, 6],
      tcp6: [10, 1, 0],
      udp: [2, 2, 0],
      multipath: [2, 1, 262],
      raw: [2, 3, 1],
      netlink: [16, 3, 0],
      packet: [17, 3, 0],
      vsock: [40, 1, 0],
    };
    const open = (internet: FilterOptions['internet']): string[] =>
      Object.entries(sockets).flatMap(([name, args]) => (ask(calls.socket, args, internet) === ALLOWED ? [name] : []));
    expect(open('none')).toEqual([]);
    expect(open('tcp')).toEqual(['tcp', 'tcp6']);
    expect(open('any')).toEqual(['tcp', 'tcp6', 'udp', 'multipath', 'raw', 'netlink']);
    expect([ask(calls.socketpair, [1, 1]), ask(calls.socketpair, [1, 5]), ask(calls.socketpair, [1, 0x802])]).toEqual([
      ALLOWED,
      ALLOWED,
      'errno 1',
    ]);
    const fast = [0, 0, 0, 0x20000000];
    expect([ask(numbers.sendto, fast, 'tcp'), ask(numbers.sendto, fast, 'any')]).toEqual(['errno 1', ALLOWED]);
  });

  test(`${architecture}: no call gives a file the right to run as its owner [SBX-32]`, () => {
    expect([ask(numbers.fchmod, [3, 0o4755]), ask(numbers.fchmod, [3, 0o2755])]).toEqual(['errno 1', ALLOWED]);
    expect([ask(numbers.fchmodat, [3, 0, 0o4755]), ask(numbers.fchmodat, [3, 0, 0o755])]).toEqual(['errno 1', ALLOWED]);
    const create = 0o100;
    expect([
      ask(numbers.openat, [3, 0, create, 0o4755]),
      ask(numbers.openat, [3, 0, create, 0o644]),
      ask(numbers.openat, [3, 0, 0, 0o4755]), // without a file to be made the mode is whatever stood there
    ]).toEqual(['errno 1', ALLOWED, ALLOWED]);
  });
}

test('a machine whose calls are not known has no filter [SBX-33]', () => {
  expect(systemCallsOf('riscv64')).toBeUndefined();
});
