import { randomInt } from 'node:crypto';
import type { CommandSession } from './command-session.ts';

/** Source: the peer. */
const MAX_SESSIONS = 64;
const SAFE_SESSIONS = 8;

/** The sessions of a runner that were not yet told to have ended, the one used last at the end. */
export class CommandSessions {
  readonly #sessions = new Map<number, CommandSession>();
  readonly #pending = new Set<number>();

  /** A five-digit number that no session has. */
  reserveId(): number {
    let id: number;
    do id = randomInt(10_000, 100_000);
    while (this.#sessions.has(id) || this.#pending.has(id));
    this.#pending.add(id);
    return id;
  }

  /** Makes room by ending an old session: one that ended by itself rather than another, and none of the latest. */
  async add(session: CommandSession): Promise<void> {
    const oldest = [...this.#sessions.values()].slice(0, Math.max(0, this.#sessions.size - SAFE_SESSIONS));
    const surplus =
      this.#sessions.size < MAX_SESSIONS ? undefined : (oldest.find(({ hasEnded }) => hasEnded) ?? oldest[0]);
    if (surplus !== undefined) this.forget(surplus.id);
    this.#pending.delete(session.id);
    this.#sessions.set(session.id, session);
    await surplus?.kill();
  }

  /** Counts as a use of it. */
  find(id: number): CommandSession | undefined {
    const session = this.#sessions.get(id);
    if (session !== undefined && this.#sessions.delete(id)) this.#sessions.set(id, session);
    return session;
  }

  forget(id: number): void {
    this.#pending.delete(id);
    this.#sessions.delete(id);
  }

  async close(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session.kill()));
  }
}
