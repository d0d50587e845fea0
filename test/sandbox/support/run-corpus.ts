import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { SandboxBackendName } from '@quire/host';
import { GROUPS } from '../attempts/all.ts';
import type { Attempt } from './attempt.ts';
import { createOwners, type Outcome, type Owners, play } from './play.ts';

/** What one attempt came to. */
export interface Result {
  /** Programs that are not on this machine; when there are any the attempt was not made. */
  readonly missing: readonly string[];
  readonly unconfined: Outcome | undefined;
  readonly confined: Readonly<Partial<Record<SandboxBackendName, Outcome>>>;
}

/** Makes every attempt, unconfined and with each backend, a few at a time. */
export async function runCorpus(
  backends: readonly SandboxBackendName[],
  options: { readonly lanes: number },
): Promise<ReadonlyMap<string, Result>> {
  const owners = backends.map((backend) => [backend, createOwners(backend)] as const);
  const results = new Map<string, Result>();
  const waiting = GROUPS.flatMap(({ attempts }) => attempts);
  const lane = async (): Promise<void> => {
    for (let attempt = waiting.shift(); attempt !== undefined; attempt = waiting.shift()) {
      results.set(attempt.id, await makeAttempt(attempt, owners));
    }
  };
  try {
    // All lanes end, so that every place is cleared, before a fault of the first is told.
    const ended = await Promise.allSettled(Array.from({ length: options.lanes }, lane));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  } finally {
    for (const [, { first, second }] of owners) await Promise.all([first.close(), second.close()]);
  }
  return results;
}

async function makeAttempt(
  attempt: Attempt,
  owners: readonly (readonly [SandboxBackendName, Owners])[],
): Promise<Result> {
  const missing = (attempt.needs ?? []).filter((program) => !isInstalled(program));
  if (missing.length > 0) return { missing, unconfined: undefined, confined: {} };
  const unconfined = await play(attempt);
  const confined: Partial<Record<SandboxBackendName, Outcome>> = {};
  for (const [backend, pair] of owners) confined[backend] = await play(attempt, pair);
  return { missing, unconfined, confined };
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
