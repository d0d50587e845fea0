import { groupExists, killGroup } from './marked-processes.ts';
import type { Watchdog } from './watchdog.ts';

/** The process groups that a runner began and that still have a member; the watchdog is kept informed. */
export class ProcessGroups {
  readonly #watchdog: Watchdog;
  readonly #all = new Set<number>();
  /** Those that login shells began: they get time to clean up. */
  readonly #login = new Set<number>();

  constructor(watchdog: Watchdog) {
    this.#watchdog = watchdog;
  }

  get all(): readonly number[] {
    return [...this.#all];
  }

  get login(): readonly number[] {
    return [...this.#login];
  }

  has(groupId: number): boolean {
    return this.#all.has(groupId);
  }

  add(groupId: number): void {
    this.#all.add(groupId);
    this.#watchdog.addGroup(groupId);
  }

  addLogin(groupId: number): void {
    this.#login.add(groupId);
    this.add(groupId);
  }

  /** A group lives on as long as a child that a command left behind is in it. */
  forgetEmpty(): void {
    for (const groupId of this.#all) {
      if (groupExists(groupId)) continue;
      this.#all.delete(groupId);
      this.#login.delete(groupId);
      this.#watchdog.removeGroup(groupId);
    }
  }

  killAllButLogin(): void {
    for (const groupId of this.#all) if (!this.#login.has(groupId)) killGroup(groupId);
  }
}
