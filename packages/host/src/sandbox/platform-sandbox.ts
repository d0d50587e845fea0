import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EgressProxy } from '@quire/network';
import type { BackendFinding, ResolvedRequest, SandboxBackend } from './backend.ts';
import { findBubblewrap } from './bubblewrap.ts';
import { type EgressEndpoint, egressVariables } from './egress.ts';
import { isFolder } from './entry-facts.ts';
import { keepLinks } from './kept-links.ts';
import { findLandlock } from './landlock.ts';
import { findOwnPaths } from './own-paths.ts';
import { Placeholders } from './placeholders.ts';
import { ProtectedPathFinder } from './protected-paths.ts';
import { realPathOf } from './real-path.ts';
import type {
  BackendReport,
  Sandbox,
  SandboxBackendName,
  SandboxedStart,
  SandboxOptions,
  SandboxReport,
  SandboxRequest,
} from './sandbox.ts';
import { findSeatbelt } from './seatbelt.ts';
import { systemCallsOf } from './system-calls.ts';
import { tryBackend } from './try-backend.ts';

interface Choice {
  readonly backend: SandboxBackend | undefined;
  readonly tried: readonly BackendReport[];
}

/** Tries the backends of the platform once, the strongest first, and confines with the first that truly works. */
export class PlatformSandbox implements Sandbox {
  readonly #options: SandboxOptions;
  readonly #protectedPaths = new ProtectedPathFinder();
  readonly #placeholders = new Placeholders();
  #choice: Promise<Choice> | undefined;
  #egress: Promise<EgressProxy> | undefined;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  async wrap(request: SandboxRequest): Promise<SandboxedStart> {
    const isProxied = request.confinement.network === 'proxied';
    if (isProxied && this.#options.allowedHosts === undefined) {
      return { kind: 'unavailable', reason: 'the command may reach certain hosts only, and nobody said which' };
    }
    this.#choice ??= this.#choose({ all: false });
    const { backend, tried } = await this.#choice;
    if (backend === undefined) return { kind: 'unavailable', reason: unavailable(tried) };
    const egress = isProxied ? await this.#openEgress() : undefined;
    if (typeof egress === 'string') return { kind: 'unavailable', reason: egress };
    let release = (): void => undefined;
    try {
      const found = this.#resolve(request, { backend, egress });
      const { resolved } = found;
      release = found.release;
      const started = backend.start(resolved);
      return {
        kind: 'ready',
        ...started,
        release: () => {
          started.release();
          release();
        },
      };
    } catch (error) {
      release();
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'unavailable', reason: `${backend.name} can not confine this command: ${reason}` };
    }
  }

  async probe(): Promise<SandboxReport> {
    const { backend, tried } = await this.#choose({ all: true });
    return { chosen: backend?.name, tried };
  }

  async close(): Promise<void> {
    this.#placeholders.removeUnused();
    const egress = this.#egress;
    this.#egress = undefined;
    await egress?.then(
      (proxy) => proxy.close(),
      () => undefined, // it was told to whoever asked for it
    );
  }

  #resolve(
    request: SandboxRequest,
    { backend, egress }: { readonly backend: SandboxBackend; readonly egress: EgressEndpoint | undefined },
  ): { readonly resolved: ResolvedRequest; readonly release: () => void } {
    const writableRoots = realRoots(request.confinement.writableRoots);
    const found = writableRoots.map((root) =>
      this.#protectedPaths.find(root, { isWorkedIn: isInside(root, request.cwd) }),
    );
    const missing = found.flatMap((paths) => [
      ...paths.missing,
      ...paths.existing.filter((path) => this.#placeholders.holds(path)),
    ]);
    const held = holdMissing(this.#placeholders, missing, backend.holdsMissing);
    const links = keepLinks(found.flatMap((paths) => paths.links));
    const own = findOwnPaths(this.#environment());
    const kept = [...new Set([...found.flatMap(({ existing }) => existing), ...own, ...held.paths])]
      .filter((path) => writableRoots.some((root) => isInside(root, path)))
      .flatMap((path) => withoutRoots(path, writableRoots));
    // A folder before what is in it, so that the inner mount lies on top.
    const protectedPaths = kept.toSorted((left, right) => left.length - right.length);
    const environment =
      egress === undefined ? request.environment : { ...request.environment, ...egressVariables(egress) };
    const pinnedFolders = foldersToPin({ writableRoots, protectedPaths });
    return {
      resolved: { ...request, environment, writableRoots, protectedPaths, pinnedFolders, egress },
      release: () => {
        held.release();
        links.release();
      },
    };
  }

  /** @returns the reason when it can not be had */
  async #openEgress(): Promise<EgressEndpoint | string> {
    this.#egress ??= import('@quire/network').then(({ openEgressProxy }) =>
      openEgressProxy({ allowedHosts: this.#options.allowedHosts ?? [] }),
    );
    try {
      return await this.#egress;
    } catch (error) {
      this.#egress = undefined;
      const reason = error instanceof Error ? error.message : String(error);
      return `the proxy that lets certain hosts through could not be started (${reason})`;
    }
  }

  async #choose({ all }: { readonly all: boolean }): Promise<Choice> {
    const { backend: only } = this.#options;
    const tried: BackendReport[] = [];
    let chosen: SandboxBackend | undefined;
    for (const { name, find } of candidates()) {
      if (only !== undefined && only !== name) continue;
      if (tried.some((report) => report.backend === name && report.works)) continue; // a weaker form of it
      const finding = find();
      const fault = finding.kind === 'missing' ? finding.reason : await tryBackend(finding.backend);
      const works = finding.kind === 'found' && fault === undefined;
      const detail = fault ?? (finding.kind === 'found' ? finding.backend.version : '');
      tried.push({ backend: name, works, detail, gaps: works ? finding.backend.gaps : [] });
      if (works) chosen ??= finding.backend;
      if (works && !all) break;
    }
    return { backend: chosen, tried };
  }

  #environment(): Readonly<Record<string, string | undefined>> {
    return this.#options.environment ?? process.env;
  }
}

interface Candidate {
  readonly name: SandboxBackendName;
  readonly find: () => BackendFinding;
}

/** From here on Landlock keeps signals and abstract sockets in. */
const SCOPED_LANDLOCK = 6;

/**
 * The strongest first: Landlock on top of mounts of its own is two walls, bubblewrap is one that also hides other
 * processes, Landlock alone leaves gaps.
 */
function candidates(): readonly Candidate[] {
  if (process.platform === 'darwin') return [{ name: 'seatbelt', find: findSeatbelt }];
  if (process.platform !== 'linux') return [];
  const calls = systemCallsOf(process.arch);
  const whole = { usesNamespaces: true };
  return [
    { name: 'landlock', find: () => findLandlock(calls, { ...whole, minimumVersion: SCOPED_LANDLOCK }) },
    { name: 'bubblewrap', find: () => findBubblewrap(calls, { ownMounts: true }) },
    { name: 'bubblewrap', find: () => findBubblewrap(calls, { ownMounts: false }) },
    { name: 'landlock', find: () => findLandlock(calls, whole) },
    { name: 'landlock', find: () => findLandlock(calls, { usesNamespaces: false }) },
  ];
}

function holdMissing(
  placeholders: Placeholders,
  missing: readonly string[],
  way: SandboxBackend['holdsMissing'],
): { readonly paths: readonly string[]; readonly release: () => void } {
  if (way === 'placeholder') return placeholders.take(missing);
  return { paths: way === 'by-name' ? missing : [], release: () => undefined };
}

/** A root that lies in something protected is meant to be written: what is beside it stays protected. */
function withoutRoots(path: string, roots: readonly string[]): readonly string[] {
  if (!roots.some((root) => isInside(path, root))) return [path];
  if (roots.includes(path)) return [];
  return entriesOf(path).flatMap((name) => withoutRoots(join(path, name), roots));
}

/**
 * What is mounted can not be moved, but a folder above it can, and another one put in its place. So every folder from
 * a root down to something mounted is mounted as well.
 */
function foldersToPin(paths: {
  readonly writableRoots: readonly string[];
  readonly protectedPaths: readonly string[];
}): readonly string[] {
  const { writableRoots, protectedPaths } = paths;
  const pinned = new Set<string>();
  for (const path of [...protectedPaths, ...writableRoots]) {
    const isBelowRoot = (folder: string): boolean =>
      writableRoots.some((root) => folder !== root && isInside(root, folder));
    for (let folder = dirname(path); isBelowRoot(folder); folder = dirname(folder)) {
      const isKept = protectedPaths.some((kept) => isInside(kept, folder));
      if (!isKept && !writableRoots.includes(folder) && isFolder(folder)) pinned.add(folder);
    }
  }
  return [...pinned];
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Those that are there, each once. Real paths are asked for: one that is none by now was made a link, which may lead
 * anywhere, by a command that could write around it.
 */
function realRoots(roots: readonly string[]): readonly string[] {
  return [...new Set(roots.filter((root) => realPathOf(root) === root))];
}

function isInside(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

function unavailable(tried: readonly BackendReport[]): string {
  const faults = tried.map(({ backend, detail }) => `${backend}: ${detail}`).join('; ');
  const what = tried.length === 0 ? `there is none for ${process.platform}` : `tried ${faults}`;
  return `no sandbox works on this machine, so a command that has to be confined can not run (${what}); see quire doctor`;
}
