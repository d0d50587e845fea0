import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BackendFinding, type BackendStart, type ResolvedRequest, sandboxVariables } from './backend.ts';
import { findProgram } from './find-program.ts';
import { findHiddenFolders } from './hidden-folders.ts';
import { hasInheritedDescriptors } from './inherited-descriptors.ts';
import { landlockRules, readAbility } from './landlock.ts';
import { launcherArguments, passedFlag } from './launcher-arguments.ts';
import { splitEnvironment } from './launcher-environment.ts';
import { seccompFilter } from './seccomp-filter.ts';
import type { SystemCalls } from './system-calls.ts';

/** Where extra descriptors of a child begin. */
const FIRST_EXTRA_FD = 3;

/** bubblewrap: namespaces and mounts made by a program of the system, with our filter of system calls. */
export function findBubblewrap(calls: SystemCalls | undefined): BackendFinding {
  const path = findProgram('bwrap');
  if (path === undefined) return { kind: 'missing', reason: 'bwrap is not installed (package bubblewrap)' };
  if (calls === undefined) return { kind: 'missing', reason: `system calls of ${process.arch} are not known` };
  const perl = findProgram('perl');
  const ability = perl === undefined ? undefined : readAbility(perl, calls);
  const landlock = typeof ability === 'object' ? ability.landlock : 0;
  const closesDescriptors = hasInheritedDescriptors();
  const filter = new FilterFile(seccompFilter(calls, { internet: 'any' }));
  return {
    kind: 'found',
    backend: {
      name: 'bubblewrap',
      version: landlock > 0 ? `${path} with Landlock ${landlock}` : path,
      gaps: gapsOf({ landlock, passesDescriptors: closesDescriptors && perl === undefined }),
      holdsMissing: 'placeholder',
      start: (request) => start({ path, perl, landlock, calls, filter, closesDescriptors }, request),
    },
  };
}

function gapsOf(found: { readonly landlock: number; readonly passesDescriptors: boolean }): readonly string[] {
  const gaps: string[] = [];
  if (found.landlock === 0) {
    gaps.push('named pipes elsewhere can be written to by those who may');
    gaps.push('files elsewhere that are its standard input, output or error can be opened for writing');
  }
  if (found.passesDescriptors) gaps.push('open files that this process was started with are passed on');
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
}

function start(found: Bubblewrap, request: ResolvedRequest): BackendStart {
  const { path, perl, landlock, filter, closesDescriptors } = found;
  const { launcher, withheld } = splitEnvironment({ ...request.environment, ...sandboxVariables(request) });
  if (perl !== undefined && (landlock > 0 || request.egress !== undefined)) {
    const argv = [perl, ...innerArguments(found, request, withheld)];
    const args = bubblewrapArguments({ ...request, argv }, { filterFd: undefined, withheld: [] });
    return { path, args, environment: launcher, extraFds: [], release: () => undefined };
  }
  if (request.egress !== undefined) {
    throw new Error('perl is not installed (package perl-base), which leads to the proxy');
  }
  const fd = filter.open();
  const args = bubblewrapArguments(request, { filterFd: FIRST_EXTRA_FD, withheld });
  const behindPerl = closesDescriptors && perl !== undefined;
  return {
    path: behindPerl ? perl : path,
    args: behindPerl
      ? ['-e', CLOSE_OTHERS, [FIRST_EXTRA_FD, ...(request.passedFds ?? [])].join(','), path, ...args]
      : args,
    environment: launcher,
    extraFds: [fd],
    release: onceOnly(() => closeSync(fd)),
  };
}

/** Inside of what bubblewrap has made our launcher adds Landlock, the way to the proxy, and the filter. */
function innerArguments(
  { landlock, calls, filter }: Bubblewrap,
  request: ResolvedRequest,
  withheld: readonly (readonly [name: string, value: string])[],
): readonly string[] {
  return launcherArguments({
    calls,
    flags: `${landlock > 0 ? `l${landlock}` : '-'}${passedFlag(request)}`,
    filter: filter.program,
    writableFolders: [],
    protectedPaths: [],
    rules: landlock > 0 ? landlockRules(request, { namespaces: true, landlock }) : [],
    withheld,
    forwarded: request.egress,
    argv: request.argv,
  });
}

/** Closes all descriptors above standard error but those that are named, then starts the program. 436: close_range. */
const CLOSE_OTHERS =
  'my $n = 3; for (split(/,/, shift), 0x100000000) { syscall(436, $n, $_ - 1, 0) if $_ > $n; $n = $_ + 1; } exec { $ARGV[0] } @ARGV; print STDERR "$ARGV[0]: $!\\n"; exit 126;';

/** Everything is there to be read; only the writable roots, without what is protected in them, can be written. */
function bubblewrapArguments(
  request: ResolvedRequest,
  options: {
    readonly filterFd: number | undefined;
    readonly withheld: readonly (readonly [name: string, value: string])[];
  },
): readonly string[] {
  const { argv, cwd, confinement, writableRoots, protectedPaths, pinnedFolders, egress } = request;
  const hidden = findHiddenFolders([cwd, ...(egress === undefined ? [] : [egress.socketPath])]);
  const writable = [...writableRoots, ...pinnedFolders].toSorted(byLength);
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(confinement.network === 'on' ? [] : ['--unshare-net']),
    ...['--die-with-parent', '--cap-drop', 'ALL'],
    ...(options.filterFd === undefined ? [] : ['--seccomp', String(options.filterFd)]),
    ...options.withheld.flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--ro-bind', '/', '/'],
    ...hidden.folders.flatMap((folder) => ['--tmpfs', folder]),
    ...hidden.shown.flatMap((path) => ['--ro-bind', path, path]),
    ...writable.flatMap((root) => ['--bind', root, root]),
    // Settings of the kernel in /proc belong to root by name, and root may be who runs this.
    ...['--dev', '/dev', '--proc', '/proc', '--remount-ro', '/proc'],
    ...protectedPaths.flatMap((kept) => ['--ro-bind', kept, kept]),
    ...['--chdir', cwd, '--', ...argv],
  ];
}

function byLength(left: string, right: string): number {
  return left.length - right.length;
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
