import type { EgressEndpoint } from './egress.ts';
import { launcherScript } from './launcher-script.ts';
import { LAUNCHER_SECRET } from './setup-fault.ts';
import type { SystemCalls } from './system-calls.ts';

export interface LauncherOrder {
  readonly calls: SystemCalls;
  /** See `launcherScript`. */
  readonly flags: string;
  readonly filter: Buffer;
  /** Outer ones first. With flag `v` as `DEVICE:INODE:PATH`. */
  readonly writableFolders: readonly string[];
  readonly protectedPaths: readonly string[];
  readonly rules: readonly LandlockRule[];
  readonly withheld: readonly (readonly [name: string, value: string])[];
  /** To be reachable in a network namespace at the port that it has outside. */
  readonly forwarded: EgressEndpoint | undefined;
  readonly argv: readonly string[];
}

export type LandlockRule = readonly [path: string, rights: number];

/** The arguments of perl for our launcher. */
export function launcherArguments(order: LauncherOrder): readonly string[] {
  const { calls, forwarded } = order;
  const numbers = [calls.prctl, calls.seccomp, calls.capset, calls.unshare, calls.mount, calls.fstatfs].join(',');
  const script = launcherScript({ looksAtMounts: order.flags.includes('v'), forwards: forwarded !== undefined });
  return [
    ...['-e', script, numbers, order.filter.toString('hex'), `${order.flags} x${LAUNCHER_SECRET}`],
    ...counted(order.writableFolders.map((path) => [path])),
    ...counted(order.protectedPaths.map((path) => [path])),
    ...counted(order.rules.map(([path, rights]) => [String(rights), path])),
    ...counted(order.withheld),
    ...counted(forwarded === undefined ? [] : [[String(forwarded.port), forwarded.socketPath]]),
    ...order.argv,
  ];
}

/** The flag of `launcherScript` for descriptors to keep. */
export function passedFlag({ passedFds = [] }: { readonly passedFds?: readonly number[] }): string {
  return passedFds.length === 0 ? '' : ` k${passedFds.join(',')}`;
}

function counted(list: readonly (readonly string[])[]): readonly string[] {
  return [String(list.length), ...list.flat()];
}
