import type { JsonObject } from '@quire/protocol';
import type { CompactionAnswers } from './compact/default-compaction.ts';
import type { AllowRewrite } from './invariants/thread-history.ts';
import type { OAuthOptions } from './oauth/oauth-options.ts';
import type { ItemRefusal } from './script/refuse-items.ts';
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
  /** Answers of the compaction endpoint, in order. */
  readonly compactions?: readonly Step[];
  /**
   * Answers compactions that no step takes, over the endpoint and over the stream (before `rules`); absent: as the
   * real service would.
   */
  readonly compaction?: CompactionAnswers;
  /**
   * Refuses, with status 400, every request and compaction that holds such an item, before any step. Chat aside. The
   * thread may then go on with something else in the item's place.
   */
  readonly refusals?: readonly ItemRefusal[];
  /** The answer of the usage endpoint, any number of times. */
  readonly usage?: Answer;
  readonly transports?: Transports;
  /** Entries of `GET …/models`. */
  readonly models?: readonly JsonObject[];
  /** The `ETag` of `GET …/models`. */
  readonly etag?: string;
  /** The authorization server at the same origin. */
  readonly oauth?: OAuthOptions;
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
  /**
   * The client compacts by itself: a request without tools asks for the summary, and behind it the history may be
   * another.
   */
  readonly expectLocalCompactions?: boolean;
  /** Slugs of models that take no images: one in a request for them is a violation. */
  readonly textOnlyModels?: readonly string[];
}
