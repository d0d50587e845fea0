import { type Credentials, ModelError, type ModelEvent } from '@quire/protocol';
import { type HttpErrorContext, httpError } from './errors/http-error.ts';
import { printableUrl } from './errors/redact.ts';
import type { ResponseHeaders } from './http/headers-in.ts';
import type { HttpResponse } from './http/transport.ts';
import { noteUsageLimit } from './limits/note-usage-limit.ts';
import { requestHeaders, type TurnHeaders } from './request/headers.ts';
import { requestUrl } from './request/url.ts';
import { requestWithRetries } from './request-with-retries.ts';
import { currentCredentials, errorContext, type ThreadLine } from './thread-line.ts';
import { authorizationOf } from './unauthorized/auth-tags.ts';
import { UnauthorizedRecovery } from './unauthorized/recovery.ts';

const MAX_RETRIES = 100;

export interface Post {
  /** Below the base URL. */
  readonly path: string;
  readonly turn: TurnHeaders;
  readonly body: Buffer;
  /** Number of items in the request's input. */
  readonly inputLength: number;
  /** Statuses that no repetition would change, though they are 5xx. */
  readonly finalStatuses?: ReadonlySet<number>;
  readonly signal: AbortSignal;
  /** The request, or its repetition with other credentials, is about to be sent. */
  readonly onBegin?: () => void;
  /** Called for each response, when its headers are there. */
  readonly onResponse?: (response: HttpResponse) => void;
  /** Called for each attempt that failed. */
  readonly onFailure?: (error: ModelError) => void;
  /** Takes what the headers say of the limits when a used-up allowance ends the request. */
  readonly onLimits?: (events: readonly ModelEvent[]) => void;
}

export interface Answered {
  /** Its status is a success. */
  readonly response: HttpResponse;
  /** What errors about the rest of this response may say. */
  readonly context: HttpErrorContext;
}

/**
 * One POST to the provider with its retries, repeated with new credentials as long as a 401 can be recovered from.
 * Rejects with ModelError, or the reason of the signal.
 */
export async function postWithRecovery(line: ThreadLine, post: Post): Promise<Answered> {
  const { signal } = post;
  const recovery = new UnauthorizedRecovery(line);
  let credentials: Credentials | undefined = await currentCredentials(line, signal);
  try {
    for (;;) {
      const outcome: Answered | Refused = await postOnce(line, post, { credentials, recovery });
      if (!('error' in outcome)) return outcome;
      credentials = await recovery.next({ credentials, headers: outcome.headers }, { signal });
      if (credentials === undefined) throw outcome.error;
    }
  } finally {
    await recovery.close();
  }
}

interface Refused {
  readonly error: ModelError;
  readonly headers: ResponseHeaders;
}

async function postOnce(
  line: ThreadLine,
  post: Post,
  parts: { readonly credentials: Credentials; readonly recovery: UnauthorizedRecovery },
): Promise<Answered | Refused> {
  const { identity, clock, entropy, observer, authTags } = line;
  const { path, signal, inputLength } = post;
  const { credentials, recovery } = parts;
  const { provider } = identity;
  const url = requestUrl(provider, credentials, path);
  const sent = requestHeaders(identity, credentials, post.turn);
  const plain = { url, ...sent, body: post.body, signal, headersTimeoutMs: provider.streamIdleTimeoutMs };
  const request = (await line.compressor?.apply(plain, credentials)) ?? plain;
  signal.throwIfAborted();
  const context: HttpErrorContext = {
    ...errorContext(line, sent, credentials),
    inputIndex: (named) => (named < inputLength ? named : undefined),
  };
  let refusedBy: ResponseHeaders | undefined;
  let status: number | undefined;
  post.onBegin?.();
  const tags = { endpoint: `/${path}`, credentials, after: recovery.lastStep };
  observer.requestAuthorization?.(authorizationOf(tags));
  try {
    const response = await requestWithRetries(line.transport, request, {
      endpoint: `/${path}`,
      maxRetries: Math.min(provider.requestMaxRetries, MAX_RETRIES),
      finalStatuses: post.finalStatuses,
      clock,
      entropy,
      observer,
      onResponse: post.onResponse,
      onFailure: post.onFailure,
      toError: (failed, bodyText) => {
        refusedBy = failed.headers;
        status = failed.status;
        const refusal = { status, headers: refusedBy, bodyText, url: printableUrl(failed.url) };
        const error = httpError(refusal, context);
        if (error.code === 'usage-limit-reached') {
          const events = noteUsageLimit(line.rateLimits, refusal, error);
          post.onLimits?.(events);
        }
        return error;
      },
    });
    authTags.noteRequest({ ...tags, status: response.status, error: undefined, headers: response.headers });
    observer.authTags?.(authTags.tags);
    return { response, context };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    authTags.noteRequest({ ...tags, status, error: error.code, headers: refusedBy });
    observer.authTags?.(authTags.tags);
    if (error.httpStatus === 401 && refusedBy !== undefined) return { error, headers: refusedBy };
    throw error;
  }
}
