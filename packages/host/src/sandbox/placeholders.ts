import { lstatSync, mkdirSync, rmdirSync, utimesSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { findMountedElsewhere } from './mounted-elsewhere.ts';
import { OpenedFolder } from './opened-folder.ts';

/** How long folders stay behind the last command, and how often it is looked whether what it left behind is gone. */
const LOOK_MS = 300;

/**
 * When they say they were changed last, in seconds since the epoch. So they are known to every run, and whoever puts
 * something into one changes that. Whole and even, for file systems that count so.
 */
const MARK_S = 1_000_000_000;
/** Who used one last says so in the time of its last access. That run may be just about to mount something on it. */
const STARTING_MS = 2_000;

/**
 * Empty folders that stand where nothing may come into being while something runs confined: a mount needs something to
 * lie on. They are removed when the last user is gone, with all that it left running: to remove a folder takes away
 * what is mounted on it everywhere. One that somebody has filled meanwhile stays. One that another run made, and may not
 * have been able to remove, is used and removed as well.
 */
export class Placeholders {
  readonly #users = new Map<string, number>();
  /** The folders that hold them, by their own paths. */
  readonly #parents = new Map<string, OpenedFolder>();
  /** What this run made their times of access, in milliseconds since the epoch. */
  readonly #stamps = new Map<string, number>();
  /** Another run took it before this one, and may not have mounted anything on it until then. Unix milliseconds. */
  readonly #othersStartUntil = new Map<string, number>();
  /** Without users, but something that a command left behind still runs. */
  readonly #lingering = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  readonly #onExit = (): void => this.removeUnused();

  /** It is there only because something runs confined, or was killed meanwhile. */
  holds(path: string): boolean {
    return this.#users.has(path) || this.#lingering.has(path) || isMarked(path);
  }

  /** Gives back what there is to protect: of the paths those that could be made, or are there now. */
  take(paths: readonly string[]): { readonly paths: readonly string[]; readonly release: () => void } {
    const taken: string[] = [];
    for (const path of paths) {
      this.#lingering.delete(path);
      // Another run may have removed one that was here.
      if (!this.#stamp(path) && !this.#make(path)) continue;
      this.#users.set(path, (this.#users.get(path) ?? 0) + 1);
      taken.push(path);
    }
    let isReleased = false;
    return {
      paths: taken,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        for (const path of taken) this.#leave(path);
        this.#lookLater();
      },
    };
  }

  #leave(path: string): void {
    const users = (this.#users.get(path) ?? 1) - 1;
    if (users > 0) {
      this.#users.set(path, users);
      return;
    }
    this.#users.delete(path);
    this.#lingering.add(path);
  }

  /** Of what is kept for the next command, what nothing that runs needs. */
  removeUnused(): void {
    const used = findMountedElsewhere([...this.#lingering]);
    for (const path of this.#lingering) {
      if (used.has(path) || this.#isTakenByAnother(path)) continue;
      this.#lingering.delete(path);
      this.#remove(path);
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    process.off('exit', this.#onExit);
    this.#lookLater();
  }

  /** Not at once: it costs milliseconds, and the next command may want the same folders. */
  #lookLater(): void {
    if (this.#lingering.size === 0 || this.#timer !== undefined) return;
    process.once('exit', this.#onExit);
    this.#timer = setTimeout(() => this.removeUnused(), LOOK_MS).unref();
  }

  /** `false`: the parent can not be written, so nothing else can come into being there either. */
  #make(path: string): boolean {
    const parent = OpenedFolder.open(dirname(path));
    if (parent === undefined) return false;
    this.#parents.get(path)?.close();
    this.#parents.set(path, parent);
    // Twice: another run may remove it in between.
    if (this.#makeOrTake(path) || this.#makeOrTake(path)) return true;
    this.#parents.delete(path);
    parent.close();
    return false;
  }

  #makeOrTake(path: string): boolean {
    const entry = this.#entry(path);
    if (entry === undefined) return false;
    try {
      mkdirSync(entry, { mode: 0o700 });
      utimesSync(entry, MARK_S, MARK_S);
    } catch {
      // It is there: what counts is whose it is.
    }
    return this.#stamp(path);
  }

  /** Tells other runs that it is taken. `false`: it is not there any more. */
  #stamp(path: string): boolean {
    const entry = this.#entry(path);
    if (entry === undefined || !isMarked(entry)) return false;
    try {
      const before = lstatSync(entry).atimeMs;
      if (this.#isAnothers(path, before)) this.#othersStartUntil.set(path, before + STARTING_MS);
      utimesSync(entry, Date.now() / 1_000, MARK_S);
      this.#stamps.set(path, lstatSync(entry).atimeMs);
      return true;
    } catch {
      return false;
    }
  }

  #isTakenByAnother(path: string): boolean {
    const entry = this.#entry(path);
    if (entry === undefined) return false;
    try {
      return this.#isAnothers(path, lstatSync(entry).atimeMs) || Date.now() < (this.#othersStartUntil.get(path) ?? 0);
    } catch {
      return false; // gone
    }
  }

  #entry(path: string): string | undefined {
    return this.#parents.get(path)?.entry(basename(path));
  }

  #isAnothers(path: string, atimeMs: number): boolean {
    return atimeMs !== this.#stamps.get(path) && Math.abs(Date.now() - atimeMs) < STARTING_MS;
  }

  #remove(path: string): void {
    const parent = this.#parents.get(path);
    this.#parents.delete(path);
    this.#stamps.delete(path);
    this.#othersStartUntil.delete(path);
    try {
      if (parent !== undefined) rmdirSync(parent.entry(basename(path)));
    } catch {
      return; // somebody has put something there, which is theirs
    } finally {
      parent?.close();
    }
  }
}

function isMarked(path: string): boolean {
  try {
    const status = lstatSync(path);
    return status.isDirectory() && status.mtimeMs === MARK_S * 1_000;
  } catch {
    return false;
  }
}
