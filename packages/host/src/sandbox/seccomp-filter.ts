import type { SystemCalls } from './system-calls.ts';

/** Opcodes of classic BPF. Source: linux/bpf_common.h, linux/filter.h. */
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const BITWISE_AND = 0x54;
const RETURN = 0x06;

/** Where `struct seccomp_data` has what. Arguments are 64 bit; the low half comes first on both machines. */
const NUMBER_OFFSET = 0;
const ARCHITECTURE_OFFSET = 4;
const ARGUMENTS_OFFSET = 16;

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
/** Injects input into a terminal, and talks to the console. */
const REFUSED_IOCTLS = [0x5412, 0x541c];
/** Kinds of sockets, and what may be joined to them in the same argument. */
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCKET_KIND_MASK = 0xf;
const IPPROTO_TCP = 6;
/** Opens a connection by sending, past the check of a connection. */
const MSG_FASTOPEN = 0x20000000;
const SET_USER_ID_BIT = 0o4000;
/** `O_CREAT` and `O_TMPFILE`: only then is there a mode. */
const CREATES = 0x400040;
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
   * `any`: internet sockets are the namespace's own or allowed. `tcp`: Landlock looks after connections, which it can
   * for TCP only. `none`: there is no namespace of its own and no network.
   */
  readonly internet: 'any' | 'tcp' | 'none';
}

/**
 * The program of a seccomp filter, as `struct sock_filter[]`. It refuses what leads out of a sandbox past the file
 * system (other processes, mounts, keys, namespaces), sockets but internet ones (a Unix socket is a door to whoever
 * listens behind it: container engines, desktops, agents of keys), files that run as their owner for everybody, and
 * calls of another calling convention.
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
  program.push(...onCall(calls.socketpair, socketPairRules()));
  for (const [number, position] of calls.modes) program.push(...onCall(number, modeRules({ position })));
  for (const [number, position] of calls.creations) program.push(...onCall(number, creationRules({ position })));
  program.push(...onCall(calls.openat2, [refuse(ENOSYS)])); // its mode is behind a pointer; callers fall back to openat
  program.push(...onCall(calls.prlimit, ownLimitRules()));
  if (options.internet === 'tcp') {
    for (const [number, position] of calls.sends) program.push(...onCall(number, sendRules({ position })));
  }
  for (const number of calls.refused) program.push(...onCall(number, [refuse(EPERM)]));
  program.push(allow());
  return encode(program);
}

function socketRules({ internet }: FilterOptions): readonly Instruction[] {
  if (internet === 'none') return [refuse(EPERM)];
  if (internet === 'tcp') {
    return [
      load(ARGUMENTS_OFFSET),
      jumpEqual(AF_INET, { ifTrue: 2, ifFalse: 0 }),
      jumpEqual(AF_INET6, { ifTrue: 1, ifFalse: 0 }),
      refuse(EPERM),
      load(argument(/* position */ 1)),
      { code: BITWISE_AND, value: SOCKET_KIND_MASK, ifTrue: 0, ifFalse: 0 },
      jumpEqual(SOCK_STREAM, { ifTrue: 1, ifFalse: 0 }),
      refuse(EPERM),
      load(argument(/* position */ 2)),
      jumpEqual(/* value */ 0, { ifTrue: 1, ifFalse: 0 }),
      jumpEqual(IPPROTO_TCP, { ifTrue: 0, ifFalse: 1 }),
      allow(),
      refuse(EPERM),
    ];
  }
  return [
    load(ARGUMENTS_OFFSET),
    ...[AF_INET, AF_INET6, AF_NETLINK].flatMap((family) => [jumpEqual(family, { ifTrue: 0, ifFalse: 1 }), allow()]),
    refuse(EPERM),
  ];
}

/** Pairs are connected from the start, but those of datagrams, raw ones among them, can still send to an address. */
function socketPairRules(): readonly Instruction[] {
  return [
    load(argument(/* position */ 0)),
    jumpEqual(AF_UNIX, { ifTrue: 1, ifFalse: 0 }),
    refuse(EPERM),
    load(argument(/* position */ 1)),
    { code: BITWISE_AND, value: SOCKET_KIND_MASK, ifTrue: 0, ifFalse: 0 },
    jumpEqual(SOCK_STREAM, { ifTrue: 2, ifFalse: 0 }),
    jumpEqual(SOCK_SEQPACKET, { ifTrue: 1, ifFalse: 0 }),
    refuse(EPERM),
    allow(),
  ];
}

/** @param options where among the arguments the mode is */
function modeRules({ position }: { readonly position: number }): readonly Instruction[] {
  return [load(argument(position)), anyBit(SET_USER_ID_BIT), refuse(EPERM), allow()];
}

/** @param options where the flags are; the mode comes next */
function creationRules({ position }: { readonly position: number }): readonly Instruction[] {
  return [
    load(argument(position)),
    { code: JUMP_ANY_BIT, value: CREATES, ifTrue: 1, ifFalse: 0 },
    allow(),
    ...modeRules({ position: position + 1 }),
  ];
}

/** Limits of other processes of the user could end them. */
function ownLimitRules(): readonly Instruction[] {
  return [
    load(argument(/* position */ 0)),
    jumpEqual(/* value */ 0, { ifTrue: 1, ifFalse: 0 }),
    refuse(EPERM),
    allow(),
  ];
}

function sendRules({ position }: { readonly position: number }): readonly Instruction[] {
  return [load(argument(position)), anyBit(MSG_FASTOPEN), refuse(EPERM), allow()];
}

function argument(position: number): number {
  return ARGUMENTS_OFFSET + position * 8;
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
