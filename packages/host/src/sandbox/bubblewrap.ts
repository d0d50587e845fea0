import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BackendFinding,
  type BackendStart,
  type ResolvedRequest,
  sandboxVariables,
  writableFolders,
} from './backend.ts';
import { findProgram } from './find-program.ts';
import { findHiddenFolders } from './hidden-folders.ts';
import { hasInheritedDescriptors } from './inherited-descriptors.ts';
import { landlockRules, readAbility } from './landlock.ts';
import { launcherArguments, passedFlag } from './launcher-arguments.ts';
import { splitEnvironment } from './launcher-environment.ts';
import { identify, mountPointsBelow } from './mount-points.ts';
import { seccompFilter } from './seccomp-filter.ts';
import type { SystemCalls } from './system-calls.ts';

/** Where extra descriptors of a child begin. */
const FIRST_EXTRA_FD = 3;

/**
 * bubblewrap: namespaces and mounts made by a program of the system, with our filter of system calls.
 *
 * @param options `ownMounts`: what can be written is mounted by our launcher, inside of what bubblewrap has made:
 *   bubblewrap goes by paths, which another command may be exchanging for links at that moment. Not every system that
 *   lets bubblewrap make namespaces lets others.
 */
export function findBubblewrap(
  calls: SystemCalls | undefined,
  options: { readonly ownMounts: boolean },
): BackendFinding {
  const path = findProgram('bwrap');
  if (path === undefined) return { kind: 'missing', reason: 'bwrap is not installed (package bubblewrap)' };
  if (calls === undefined) return { kind: 'missing', reason: `system calls of ${process.arch} are not known` };
  const perl = findProgram('perl');
  const ability = perl === undefined ? undefined : readAbility(perl, calls);
  const { landlock, namespaces } = typeof ability === 'object' ? ability : { landlock: 0, namespaces: false };
  if (options.ownMounts && !namespaces) return { kind: 'missing', reason: 'the user may not make namespaces' };
  const closesDescriptors = hasInheritedDescriptors();
  const filter = new FilterFile(seccompFilter(calls, { internet: 'any' }));
  const found = { path, perl, landlock, calls, filter, closesDescriptors, ...options };
  return {
    kind: 'found',
    backend: {
      name: 'bubblewrap',
      version: landlock > 0 ? `${path} with Landlock ${landlock}` : path,
      gaps: gapsOf(found),
      holdsMissing: 'placeholder',
      start: (request) => start(found, request),
    },
  };
}

function gapsOf({ landlock, closesDescriptors, perl, ownMounts }: Bubblewrap): readonly string[] {
  const gaps: string[] = [];
  if (landlock === 0) {
    gaps.push('named pipes elsewhere can be written to by those who may');
    gaps.push('files elsewhere that are its standard input, output or error can be opened for writing');
  }
  if (closesDescriptors && perl === undefined) {
    gaps.push('open files that this process was started with are passed on');
  }
  if (!ownMounts) {
    gaps.push(
      perl === undefined
        ? 'a command that exchanges a folder for a link while another one starts can lead the other one elsewhere'
        : 'a command that exchanges a folder for a link while another one starts can have empty folders made elsewhere',
    );
  }
  return gaps;
}

interface Bubblewrap {
  readonly path: string;
  readonly perl: string | undefined;
  /** Version; 0 when there is none, or no perl to ask for it. */
  readonly landlock: number;
  readonly calls: SystemCalls;
  readonly filter: FilterFile;
  readonly closesDescriptors: boolean;
  readonly ownMounts: boolean;
}

function start(found: Bubblewrap, request: ResolvedRequest): BackendStart {
  const { path, perl, filter } = found;
  const { launcher, withheld } = splitEnvironment({ ...request.environment, ...sandboxVariables(request) });
  if (perl !== undefined) {
    const argv = [perl, ...innerArguments(found, request, withheld)];
    const args = bubblewrapArguments({ ...request, argv }, { ...found, filterFd: undefined, withheld: [] });
    const environment = { ...launcher, QUIRE_SANDBOX_CWD: request.cwd };
    return { path, args, environment, extraFds: [], release: () => undefined };
  }
  if (request.egress !== undefined) {
    throw new Error('perl is not installed (package perl-base), which leads to the proxy');
  }
  const fd = filter.open();
  const args = bubblewrapArguments(request, { ...found, filterFd: FIRST_EXTRA_FD, withheld });
  return { path, args, environment: launcher, extraFds: [fd], release: onceOnly(() => closeSync(fd)) };
}

/** Inside of what bubblewrap has made our launcher adds the mounts, Landlock, the way to the proxy, and the filter. */
function innerArguments(
  { landlock, calls, filter, ownMounts }: Bubblewrap,
  request: ResolvedRequest,
  withheld: readonly (readonly [name: string, value: string])[],
): readonly string[] {
  const { argv, egress, protectedPaths } = request;
  const folders = writableFolders(request);
  return launcherArguments({
    calls,
    flags: `${ownMounts ? 'nc' : 'v'}${landlock > 0 ? ` l${landlock}` : ''}${passedFlag(request)}`,
    filter: filter.program,
    writableFolders: ownMounts ? folders : identify([...folders, ...mountPointsBelow(folders)]),
    protectedPaths,
    rules: landlock > 0 ? landlockRules(request, { namespaces: true, landlock }) : [],
    withheld,
    forwarded: egress,
    argv,
  });
}

/** Everything is there to be read; only the writable roots, without what is protected in them, can be written. */
function bubblewrapArguments(
  request: ResolvedRequest,
  options: {
    readonly ownMounts: boolean;
    readonly filterFd: number | undefined;
    readonly withheld: readonly (readonly [name: string, value: string])[];
  },
): readonly string[] {
  const { argv, cwd, confinement, protectedPaths, egress } = request;
  const { ownMounts, filterFd, withheld } = options;
  const hidden = findHiddenFolders([cwd, ...(egress === undefined ? [] : [egress.socketPath])]);
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(confinement.network === 'on' ? [] : ['--unshare-net']),
    ...['--die-with-parent', '--cap-drop', 'ALL'],
    // A user namespace can not have root in it without that. Our launcher gives it up.
    ...(ownMounts && process.getuid?.() === 0 ? ['--cap-add', 'CAP_SETFCAP'] : []),
    ...(filterFd === undefined ? [] : ['--seccomp', String(filterFd)]),
    ...withheld.flatMap(([name, value]) => ['--setenv', name, value]),
    ...[ownMounts ? '--bind' : '--ro-bind', '/', '/'],
    ...hidden.folders.flatMap((folder) => ['--tmpfs', folder]),
    ...hidden.shown.flatMap((path) => ['--ro-bind', path, path]),
    // With mounts of its own our launcher does this, and what keeps them below.
    ...(ownMounts ? [] : writableFolders(request).flatMap((folder) => ['--bind', folder, folder])),
    ...['--dev', '/dev', '--proc', '/proc'],
    // Settings of the kernel in /proc belong to root by name, and root may be who runs this.
    ...(ownMounts ? [] : ['--remount-ro', '/proc', ...protectedPaths.flatMap((kept) => ['--ro-bind', kept, kept])]),
    ...['--chdir', cwd, '--', ...argv],
  ];
}

/** bubblewrap reads its filter from a descriptor to the end, so each start gets one of its own. The file has no name. */
class FilterFile {
  readonly program: Buffer;
  #fd: number | undefined;

  constructor(program: Buffer) {
    this.program = program;
  }

  open(): number {
    this.#fd ??= this.#create();
    return openSync(`/proc/self/fd/${this.#fd}`, 'r');
  }

  #create(): number {
    const folder = mkdtempSync(join(tmpdir(), 'quire-filter-'));
    try {
      const file = join(folder, 'filter');
      writeFileSync(file, this.program, { mode: 0o600 });
      return openSync(file, 'r');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function onceOnly(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
