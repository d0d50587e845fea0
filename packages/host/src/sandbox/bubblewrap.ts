import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BackendFinding, type BackendStart, type ResolvedRequest, sandboxVariables } from './backend.ts';
import { findProgram } from './find-program.ts';
import { seccompFilter } from './seccomp-filter.ts';
import type { SystemCalls } from './system-calls.ts';

/** Where extra descriptors of a child begin. */
const FIRST_EXTRA_FD = 3;

/** bubblewrap: namespaces and mounts made by a program of the system, with our filter of system calls. */
export function findBubblewrap(
  environment: Readonly<Record<string, string | undefined>>,
  calls: SystemCalls | undefined,
): BackendFinding {
  const path = findProgram('bwrap', environment);
  if (path === undefined) return { kind: 'missing', reason: 'bwrap is not installed (package bubblewrap)' };
  if (calls === undefined) return { kind: 'missing', reason: `system calls of ${process.arch} are not known` };
  const filter = new FilterFile(seccompFilter(calls, { internet: 'any' }));
  return {
    kind: 'found',
    backend: { name: 'bubblewrap', version: path, gaps: [], start: (request) => start(path, filter, request) },
  };
}

function start(path: string, filter: FilterFile, request: ResolvedRequest): BackendStart {
  const fd = filter.open();
  return {
    path,
    args: bubblewrapArguments(request, { filterFd: FIRST_EXTRA_FD }),
    environment: { ...request.environment, ...sandboxVariables(request) },
    extraFds: [fd],
    release: onceOnly(() => closeSync(fd)),
  };
}

/** Everything is there to be read; only the writable roots, without what is protected in them, can be written. */
export function bubblewrapArguments(
  request: ResolvedRequest,
  options: { readonly filterFd: number },
): readonly string[] {
  const { argv, cwd, confinement, writableRoots, protectedPaths } = request;
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(confinement.network === 'on' ? [] : ['--unshare-net']),
    ...['--die-with-parent', '--cap-drop', 'ALL', '--seccomp', String(options.filterFd)],
    ...['--ro-bind', '/', '/'],
    ...writableRoots.flatMap((root) => ['--bind', root, root]),
    ...['--dev', '/dev', '--proc', '/proc'],
    ...protectedPaths.flatMap((kept) => ['--ro-bind', kept, kept]),
    ...['--chdir', cwd, '--', ...argv],
  ];
}

/** bubblewrap reads its filter from a descriptor to the end, so each start gets one of its own. The file has no name. */
class FilterFile {
  readonly #program: Buffer;
  #fd: number | undefined;

  constructor(program: Buffer) {
    this.#program = program;
  }

  open(): number {
    this.#fd ??= this.#create();
    return openSync(`/proc/self/fd/${this.#fd}`, 'r');
  }

  #create(): number {
    const folder = mkdtempSync(join(tmpdir(), 'quire-filter-'));
    try {
      const file = join(folder, 'filter');
      writeFileSync(file, this.#program, { mode: 0o600 });
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
