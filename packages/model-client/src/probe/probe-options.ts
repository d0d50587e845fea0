import type { Clock } from '@quire/core';
import type { Dialer } from '@quire/network';
import type { Credentials, ModelError, ModelProvider } from '@quire/protocol';
import type { Environment } from '../request/headers.ts';

export interface ProbeOptions {
  readonly provider: ModelProvider;
  readonly credentials: Credentials;
  /** What can be done when they are refused. Absent: nothing is known. */
  readonly remedy?: string | undefined;
  readonly dialer: Dialer;
  readonly originator: string;
  readonly clientVersion: string;
  readonly userAgent: string;
  readonly clock: Pick<Clock, 'now'>;
  /** For headers that come from variables. */
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** For all of it. */
  readonly timeoutMs: number;
}

/** What came of one question to a provider. */
export interface ProbeAnswer {
  /** Fit to be shown. */
  readonly url: string;
  /** Absent: no answer came. 101: a WebSocket was opened, and closed again. */
  readonly status: number | undefined;
  /** Why the answer, or its absence, is not what was hoped for. Holds no secret. */
  readonly error: ModelError | undefined;
  readonly durationMs: number;
  /** What the server's clock said, as told by its `Date` header, unix milliseconds. */
  readonly serverTimeMs: number | undefined;
  /** By the clock here, in the middle between question and answer. Unix milliseconds. */
  readonly askedAtMs: number;
}
