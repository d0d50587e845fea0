import { systemClock } from '@quire/host';
import type { AuthTags, ModelClientObserver, RecoveryReport } from '@quire/model-client';
import { type KnownValues, loadRefusals } from '@quire/store';
import { VERSION } from './version.ts';

/** Where a refusal is kept, and for whom. */
interface RefusalPlace {
  readonly home: string;
  readonly threadId: string;
  readonly providerId: string;
  /** Values that must not be written. */
  readonly secrets: KnownValues;
}

export interface RefusalMemory {
  readonly observer: Pick<ModelClientObserver, 'authRecovery' | 'authTags'>;
  /** When all that was to be kept is written, or can not be. Never rejects. */
  settled(): Promise<void>;
}

/**
 * Keeps what the last 401 said in the home folder, for `quire doctor --bundle`: from the refusal on, until credentials
 * work again. A thread without one does nothing here.
 */
export function rememberRefusals(place: RefusalPlace): RefusalMemory {
  let refusal: RecoveryReport | undefined;
  let kept: Promise<void> = Promise.resolve();
  const observer: RefusalMemory['observer'] = {
    authRecovery: (report) => {
      refusal = report;
    },
    authTags: (tags) => {
      if (refusal === undefined) return;
      kept = keep(place, tags, refusal.reason);
      if (tags.auth_recovery_followup_success === 'true') refusal = undefined;
    },
  };
  return { observer, settled: () => kept };
}

function keep(place: RefusalPlace, tags: AuthTags, reason: string | undefined): Promise<void> {
  const { home, secrets, ...thread } = place;
  const record = { ...thread, atMs: systemClock.now(), clientVersion: VERSION, tags, reason };
  // Loading keeps the order of calls. A home that can not be written to is told by everything else that writes there.
  return loadRefusals()
    .then(({ writeRefusal }) => writeRefusal(home, record, secrets))
    .catch(() => undefined);
}
