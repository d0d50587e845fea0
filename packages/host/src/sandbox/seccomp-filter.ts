import type { SystemCalls } from './system-calls.ts';

/** Opcodes of classic BPF. Source: linux/bpf_common.h, linux/filter.h. */
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

/** Where `struct seccomp_data` has what. Arguments are 64 bit; the low half comes first on both machines. */
const NUMBER_OFFSET = 0;
const ARCHITECTURE_OFFSET = 4;
const ARGUMENTS_OFFSET = 16;

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
/** Injects input into a terminal, and talks to the console. */
const REFUSED_IOCTLS = [0x5412, 0x541c];
/** Every `CLONE_NEW…` flag. */
const NEW_NAMESPACES = 0x7e020080;

interface Instruction {
  readonly code: number;
  readonly value: number;
  /** Instructions to skip when the comparison holds, and when not. */
  readonly ifTrue: number;
  readonly ifFalse: number;
}

export interface FilterOptions {
  /**
   * `any`: internet sockets are the namespace's own or allowed. `none`: there is no namespace of its own and no
   * network.
   */
  readonly internet: 'any' | 'none';
}

/**
 * The program of a seccomp filter, as `struct sock_filter[]`. It refuses what leads out of a sandbox past the file
 * system (other processes, mounts, keys, namespaces), sockets but internet ones (a Unix socket is a door to whoever
 * listens behind it: container engines, desktops, agents of keys), and calls of another calling convention.
 */
export function seccompFilter(calls: SystemCalls, options: FilterOptions): Buffer {
  const program: Instruction[] = [
    load(ARCHITECTURE_OFFSET),
    jumpEqual(calls.architecture, { ifTrue: 1, ifFalse: 0 }),
    refuse(ENOSYS),
    load(NUMBER_OFFSET),
  ];
  if (calls.foreignFrom !== undefined) {
    program.push({ code: JUMP_AT_LEAST, value: calls.foreignFrom, ifTrue: 0, ifFalse: 1 }, refuse(ENOSYS));
  }
  program.push(...onCall(calls.clone3, [refuse(ENOSYS)])); // its flags are behind a pointer; callers fall back to clone
  program.push(...onCall(calls.clone, [load(ARGUMENTS_OFFSET), anyBit(NEW_NAMESPACES), refuse(EPERM), allow()]));
  program.push(...onCall(calls.socket, socketRules(options)));
  program.push(
    ...onCall(calls.ioctl, [
      load(ARGUMENTS_OFFSET + 8),
      ...REFUSED_IOCTLS.flatMap((request) => [jumpEqual(request, { ifTrue: 0, ifFalse: 1 }), refuse(EPERM)]),
      allow(),
    ]),
  );
  for (const number of calls.refused) program.push(...onCall(number, [refuse(EPERM)]));
  program.push(allow());
  return encode(program);
}

function socketRules({ internet }: FilterOptions): readonly Instruction[] {
  if (internet === 'none') return [refuse(EPERM)];
  return [
    load(ARGUMENTS_OFFSET),
    ...[AF_INET, AF_INET6, AF_NETLINK].flatMap((family) => [jumpEqual(family, { ifTrue: 0, ifFalse: 1 }), allow()]),
    refuse(EPERM),
  ];
}

/** The accumulator holds the number of the call; `body` must end in a return. */
function onCall(number: number, body: readonly Instruction[]): readonly Instruction[] {
  return [jumpEqual(number, { ifTrue: 0, ifFalse: body.length }), ...body];
}

function load(offset: number): Instruction {
  return { code: LOAD_WORD, value: offset, ifTrue: 0, ifFalse: 0 };
}

function jumpEqual(value: number, jump: { readonly ifTrue: number; readonly ifFalse: number }): Instruction {
  return { code: JUMP_EQUAL, value, ...jump };
}

/** Goes on with the next instruction when a bit is set, else with the one behind it. */
function anyBit(mask: number): Instruction {
  return { code: JUMP_ANY_BIT, value: mask, ifTrue: 0, ifFalse: 1 };
}

function refuse(errno: number): Instruction {
  return { code: RETURN, value: ERRNO + errno, ifTrue: 0, ifFalse: 0 };
}

function allow(): Instruction {
  return { code: RETURN, value: ALLOW, ifTrue: 0, ifFalse: 0 };
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, value, ifTrue, ifFalse }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
