import type { JsonObject } from '@quire/protocol';
import type { AllowRewrite } from './invariants/thread-history.ts';
import type { Rehearsal } from './script/script.ts';
import type { Answer, HandshakeStep, Step } from './script/step.ts';
import type { CertificateAuthority, CertificateOptions } from './tls/certificate-authority.ts';

/**
 * What a whole transport does instead of what the script says; absent: as the script says. For `websocket` it is the
 * answer to each handshake that no step of `handshakes` takes.
 */
export interface Transports {
  readonly websocket?: HandshakeStep;
  readonly http?: Step;
  readonly chat?: Step;
}

export interface SimulatorOptions {
  /** Answers in order; each is used once. */
  readonly steps?: readonly Step[];
  /** Answers what no step takes. */
  readonly rules?: Rehearsal;
  /** Answers to WebSocket handshakes in order; each is used once. Further ones are accepted. */
  readonly handshakes?: readonly HandshakeStep[];
  /** Answers to requests with `generate: false`, in order. Further ones complete at once, without usage. */
  readonly prewarms?: readonly Step[];
  /** Answers of the compaction endpoint, in order. Further ones are what the real endpoint would answer. */
  readonly compactions?: readonly Step[];
  /** The answer of the usage endpoint, any number of times. */
  readonly usage?: Answer;
  readonly transports?: Transports;
  /** Entries of `GET …/models`. */
  readonly models?: readonly JsonObject[];
  /** The `ETag` of `GET …/models`. */
  readonly etag?: string;
  /** 0 or absent takes a free one. */
  readonly port?: number;
  /** Serves https and wss, with a certificate that this authority issues. */
  readonly tls?: { readonly ca: CertificateAuthority; readonly certificate?: CertificateOptions };
  /** Violations are recorded but the request is answered as the script says, instead of with status 400. */
  readonly lenient?: boolean;
  /**
   * Only what every client of the API must keep is checked: a body that is JSON, whole items, calls with their
   * outputs. Headers, other fields and the growth of a thread are not.
   */
  readonly acceptsAnyClient?: boolean;
  /** The exact `authorization` header that every sampling request, handshake and compaction must carry. */
  readonly expectAuthorization?: string;
  /** Tells when a thread's history may be something else than the previous one with more at its end. */
  readonly allowRewrite?: AllowRewrite;
}
