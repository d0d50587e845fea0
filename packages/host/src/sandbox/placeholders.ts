import { mkdirSync, rmdirSync } from 'node:fs';

/**
 * Empty folders that stand where nothing may come into being while something runs confined: a mount needs something to
 * lie on. They are removed when the last user is gone; one that somebody has filled meanwhile stays.
 */
export class Placeholders {
  readonly #users = new Map<string, number>();

  /** Gives back what there is to protect: of the paths those that could be made, or are there now. */
  take(paths: readonly string[]): { readonly paths: readonly string[]; readonly release: () => void } {
    const taken: string[] = [];
    for (const path of paths) {
      const users = this.#users.get(path) ?? 0;
      if (users === 0 && !makeFolder(path)) continue;
      this.#users.set(path, users + 1);
      taken.push(path);
    }
    let isReleased = false;
    return {
      paths: taken,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        for (const path of taken) this.#leave(path);
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
    try {
      rmdirSync(path);
    } catch {
      return; // somebody has put something there, which is theirs
    }
  }
}

/** `false`: the parent can not be written, so nothing else can come into being there either. */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch {
    return false;
  }
}
