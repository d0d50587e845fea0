import { closeSync, constants, openSync, readlinkSync } from 'node:fs';

/**
 * A folder that is held on to: a command may exchange it, or one above it, for a link at any moment, and what is made by
 * its path would then be made elsewhere. Linux only.
 */
export class OpenedFolder {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** `undefined`: it is not there, can not be opened, or the path has become one through a link. @param path real */
  static open(path: string): OpenedFolder | undefined {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    } catch {
      return undefined;
    }
    const folder = new OpenedFolder(fd);
    if (folder.#path() === path) return folder;
    folder.close();
    return undefined;
  }

  /** A path to an entry that leads there wherever the folder is by now. */
  entry(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #path(): string | undefined {
    try {
      return readlinkSync(`/proc/self/fd/${this.#fd}`);
    } catch {
      return undefined; // no /proc here
    }
  }
}
