import type { Clock } from '@quire/core';
import { type Credentials, ModelError } from '@quire/protocol';
import type { CredentialsSource, RecoveryStep } from '../credentials-source.ts';
import type { ResponseHeaders } from '../http/headers-in.ts';
import type { ModelClientObserver } from '../observer.ts';
import { type AuthTagRecord, evidenceIn, type RecoveryOutcome, type RecoveryReport } from './auth-tags.ts';

/** What is done about refused credentials during one request. */
export class UnauthorizedRecovery {
  readonly #source: CredentialsSource;
  readonly #observer: ModelClientObserver;
  readonly #tags: AuthTagRecord;
  readonly #clock: Pick<Clock, 'now'>;
  #steps: AsyncIterator<RecoveryStep> | undefined;
  #last: RecoveryStep | undefined;

  constructor(line: {
    readonly credentials: CredentialsSource;
    readonly observer: ModelClientObserver;
    readonly authTags: AuthTagRecord;
    readonly clock: Pick<Clock, 'now'>;
  }) {
    this.#source = line.credentials;
    this.#observer = line.observer;
    this.#tags = line.authTags;
    this.#clock = line.clock;
  }

  /** The step that the next request follows. */
  get lastStep(): RecoveryStep | undefined {
    return this.#last;
  }

  /**
   * Does the next step and gives the credentials to try, or `undefined` when nothing is left. Throws
   * what the step threw.
   */
  async next(
    refused: { readonly credentials: Credentials; readonly headers: ResponseHeaders },
    options: { readonly signal: AbortSignal },
  ): Promise<Credentials | undefined> {
    const startedAtMs = this.#clock.now();
    const report = (outcome: RecoveryOutcome, extra: Partial<RecoveryReport> = {}): void => {
      const full: RecoveryReport = {
        mode: this.#last?.mode,
        step: this.#last?.phase,
        outcome,
        reason: undefined,
        evidence: evidenceIn(refused.headers, refused.credentials),
        stateChanged: undefined,
        durationMs: this.#clock.now() - startedAtMs,
        ...extra,
      };
      this.#tags.noteRecovery(full);
      this.#observer.authRecovery?.(full);
      this.#observer.authTags?.(this.#tags.tags);
    };
    if (this.#source.recover === undefined) {
      const reason = refused.credentials.kind === 'chatgpt' ? 'auth_manager_missing' : 'not_chatgpt_auth';
      report('recovery_not_run', { reason });
      return undefined;
    }
    this.#steps ??= this.#source.recover(options)[Symbol.asyncIterator]();
    let result: IteratorResult<RecoveryStep>;
    try {
      result = await this.#steps.next();
    } catch (error) {
      options.signal.throwIfAborted();
      const permanent = !(error instanceof ModelError && error.retryable);
      report(permanent ? 'recovery_failed_permanent' : 'recovery_failed_transient');
      throw error;
    }
    if (result.done === true) {
      const none = refused.credentials.kind === 'chatgpt' ? 'no_external_auth' : 'not_chatgpt_auth';
      report('recovery_not_run', { reason: this.#last === undefined ? none : 'recovery_exhausted' });
      return undefined;
    }
    this.#last = result.value;
    report('recovery_succeeded', { stateChanged: result.value.changed });
    return result.value.credentials;
  }

  /** Lets go of the steps that were not taken. */
  async close(): Promise<void> {
    await this.#steps?.return?.();
  }
}
