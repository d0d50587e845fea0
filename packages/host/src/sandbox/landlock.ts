import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BackendFinding,
  type BackendStart,
  type ResolvedRequest,
  sandboxVariables,
  writableFolders,
} from './backend.ts';
import { findProgram } from './find-program.ts';
import { type LandlockRule, launcherArguments, passedFlag } from './launcher-arguments.ts';
import { splitEnvironment } from './launcher-environment.ts';
import { seccompFilter } from './seccomp-filter.ts';
import type { SystemCalls } from './system-calls.ts';

/** Rights of Landlock: all that change something, but for making devices. Source: linux/landlock.h. */
const WRITE_RIGHTS = 0xf7b2;
/** Writing to what is there: for terminals and the like. */
const USE_RIGHTS = 0xc002;
const COMMON_DEVICES: readonly string[] = [
  '/dev/null',
  '/dev/zero',
  '/dev/full',
  '/dev/random',
  '/dev/urandom',
  '/dev/tty',
];
/** Of the namespace: the folder of terminals is a new one, in which only its own ones are. */
const PRIVATE_DEVICES: readonly string[] = ['/dev/ptmx', '/dev/pts'];
/** On a busy machine perl may take seconds to start. */
const TRY_MS = 5_000;

export interface Ability {
  /** Version of Landlock; 0: the kernel has none. */
  readonly landlock: number;
  /** The user may make namespaces. */
  readonly namespaces: boolean;
}

/** Landlock and seccomp, with namespaces where the user may make them, started through perl. */
export function findLandlock(
  calls: SystemCalls | undefined,
  options: { readonly usesNamespaces: boolean; readonly minimumVersion?: number },
): BackendFinding {
  const perl = findProgram('perl');
  if (perl === undefined)
    return { kind: 'missing', reason: 'perl is not installed (package perl-base), which starts it' };
  if (calls === undefined) return { kind: 'missing', reason: `system calls of ${process.arch} are not known` };
  const ability = readAbility(perl, calls);
  if (typeof ability === 'string') return { kind: 'missing', reason: ability };
  const { landlock, namespaces } = ability;
  if (landlock === 0)
    return { kind: 'missing', reason: 'the kernel has no Landlock (5.13 or newer, and switched on with lsm=landlock)' };
  const { minimumVersion = 1 } = options;
  if (landlock < minimumVersion) return { kind: 'missing', reason: `Landlock ${landlock} is below ${minimumVersion}` };
  if (options.usesNamespaces && !namespaces) return { kind: 'missing', reason: 'the user may not make namespaces' };
  return found(perl, { calls, ability: { landlock, namespaces: options.usesNamespaces } });
}

function found(
  perl: string,
  { calls, ability }: { readonly calls: SystemCalls; readonly ability: Ability },
): BackendFinding {
  const { landlock, namespaces } = ability;
  return {
    kind: 'found',
    backend: {
      name: 'landlock',
      version: `Landlock ${landlock} ${namespaces ? 'in namespaces' : 'without namespaces'}, through ${perl}`,
      gaps: gapsOf(ability),
      holdsMissing: namespaces ? 'placeholder' : 'not',
      start: (request) => start({ perl, calls, ability }, request),
    },
  };
}

function gapsOf({ landlock, namespaces }: Ability): readonly string[] {
  const gaps = ['command lines of other processes can be read'];
  if (!namespaces) {
    gaps.push('modes, owners and times of files elsewhere can be changed by their owner');
    gaps.push('nothing can be made directly in a folder that has something protected in it');
    gaps.push(
      'configuration of agents and repositories can come into being in folders that have nothing protected yet',
    );
    gaps.push('terminals of the user can be read');
    gaps.push('memory and queues shared between processes of the user are not separated');
    gaps.push('where single hosts are let through, others can be reached at the port of the proxy');
    if (landlock < 2) gaps.push('files can not be moved from one folder to another (Landlock below version 2)');
    if (landlock < 3) gaps.push('files elsewhere can be cut to nothing (Landlock below version 3)');
  }
  if (landlock < 6) gaps.push('other processes of the user can be sent signals (Landlock below version 6)');
  return gaps;
}

/** Answers of the kernel, by the perl that asked: they hold as long as this process. */
const abilities = new Map<string, Ability>();

/** Asks the kernel for its version of Landlock, and tries a namespace. */
export function readAbility(perl: string, calls: SystemCalls): Ability | string {
  const known = abilities.get(perl);
  if (known !== undefined) return known;
  const script = 'my $v = syscall(444, 0, 0, 1); my $n = syscall($ARGV[0], 0x10020000); print "$v ", $n == 0 ? 1 : 0;';
  const tried = spawnSync(perl, ['-e', script, String(calls.unshare)], { encoding: 'utf8', timeout: TRY_MS, env: {} });
  const found = /^(-?\d+) ([01])$/.exec(tried.stdout ?? '');
  if (found === null) return `${perl} could not ask the kernel (${firstLine(tried.stderr ?? '') || 'no answer'})`;
  const ability = { landlock: Math.max(0, Number(found[1])), namespaces: found[2] === '1' };
  abilities.set(perl, ability);
  return ability;
}

function start(
  launcher: { readonly perl: string; readonly calls: SystemCalls; readonly ability: Ability },
  request: ResolvedRequest,
): BackendStart {
  const { perl, calls, ability } = launcher;
  const { cwd, confinement, argv, protectedPaths, egress } = request;
  const isolatesNetwork = ability.namespaces && confinement.network !== 'on';
  const filtersPort = egress !== undefined && !isolatesNetwork;
  if (filtersPort && ability.landlock < 4) {
    throw new Error('single hosts can not be let through without namespaces and with Landlock below version 4');
  }
  const internet = isolatesNetwork || confinement.network === 'on' ? 'any' : filtersPort ? 'tcp' : 'none';
  const spaces = ability.namespaces ? (isolatesNetwork ? 'ni' : 'n') : '';
  const port = filtersPort ? ` t${egress.port}` : '';
  const split = splitEnvironment({ ...request.environment, ...sandboxVariables(request) });
  return {
    path: perl,
    args: launcherArguments({
      calls,
      flags: `${spaces}c l${ability.landlock}${port}${passedFlag(request)}`,
      filter: seccompFilter(calls, { internet }),
      writableFolders: writableFolders(request),
      protectedPaths,
      rules: landlockRules(request, ability),
      withheld: split.withheld,
      forwarded: isolatesNetwork ? egress : undefined,
      argv,
    }),
    environment: { ...split.launcher, QUIRE_SANDBOX_CWD: cwd },
    extraFds: [],
    release: () => undefined,
  };
}

/** With namespaces mounts keep what is protected; without them only what is named can be written. */
export function landlockRules(request: ResolvedRequest, { namespaces }: Ability): readonly LandlockRule[] {
  const { writableRoots, protectedPaths } = request;
  const usable = namespaces ? [...COMMON_DEVICES, ...PRIVATE_DEVICES] : COMMON_DEVICES;
  const devices = usable.map((path) => [path, USE_RIGHTS] as const);
  const shared = namespaces ? [['/dev/shm', WRITE_RIGHTS] as const] : [];
  const roots = writableRoots.flatMap((root) => (namespaces ? [root] : writableParts(root, protectedPaths)));
  return [...devices, ...shared, ...roots.map((path) => [path, WRITE_RIGHTS] as const)];
}

/** A right holds for all that is below, so a folder with something protected in it is taken apart. */
function writableParts(folder: string, protectedPaths: readonly string[]): readonly string[] {
  if (protectedPaths.includes(folder)) return [];
  if (!protectedPaths.some((path) => path.startsWith(`${folder}/`))) return [folder];
  return entriesOf(folder).flatMap((name) => writableParts(join(folder, name), protectedPaths));
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.trim() ?? '';
}
