import type { ModelCallOptions, ModelRequest } from '@quire/core';
import { isJsonObject, ModelError, objectAt, parseResponseItem, type ResponseItem, stringAt } from '@quire/protocol';
import { wrongContentType } from '../errors/content-type.ts';
import { printableUrl, withoutSecrets } from '../errors/redact.ts';
import { rateLimitsFromHeaders } from '../events/rate-limits.ts';
import { destroyBody, readWholeBody } from '../http/body.ts';
import { requestIdOf } from '../http/headers-in.ts';
import { type Answered, postWithRecovery } from '../post-with-recovery.ts';
import type { ThreadLine } from '../thread-line.ts';

const PATH = 'responses/compact';
/** A history with many images is some MiB; beyond this it is no history. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_DETAIL_CHARACTERS = 300;
/** "Not implemented" is no passing trouble: the caller has another way to compact. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([501]);

/**
 * One request to the compaction endpoint, with HTTP retries and recovery of credentials. Gives the items of the answer
 * as they came; an empty input is answered without a request. Rejects with ModelError, or the reason of `signal`.
 */
export async function compactOverHttp(
  line: ThreadLine,
  { request, signal, span }: ModelCallOptions & { readonly request: ModelRequest },
): Promise<readonly ResponseItem[]> {
  if (request.input.length === 0) return [];
  const answered = await postWithRecovery(line, {
    path: PATH,
    turn: { state: undefined, metadata: undefined, span, accept: 'application/json' },
    body: line.bodies.encodeCompaction(request),
    inputLength: request.input.length,
    finalStatuses: FINAL_STATUSES,
    signal,
  });
  const { response } = answered;
  const use = line.meter.measure(response.body.socket);
  for (const snapshot of rateLimitsFromHeaders(response.headers)) line.rateLimits.update(snapshot);
  try {
    return itemsIn(await readAnswer(line, answered, signal), answered);
  } finally {
    // The meter counts a request of the socket from where the one before it ended.
    use.bytes();
  }
}

async function readAnswer(line: ThreadLine, answered: Answered, signal: AbortSignal): Promise<string> {
  const { response } = answered;
  const wrong = wrongContentType(response, { expected: 'JSON' });
  if (wrong !== undefined) {
    destroyBody(response.body);
    throw wrong;
  }
  const idleTimeoutMs = line.identity.provider.streamIdleTimeoutMs;
  const body = await readWholeBody(response.body, { maxBytes: MAX_ANSWER_BYTES, idleTimeoutMs, signal });
  switch (body.kind) {
    case 'whole':
      return body.text;
    case 'truncated':
      throw failure(answered, 'stream-truncated', 'broke off its answer to the compaction', { cause: body.cause });
    case 'silent':
      throw failure(answered, 'idle-timeout', `was silent for ${idleTimeoutMs} ms within its answer to the compaction`);
    case 'too-large':
      throw unusable(answered, `more than ${MAX_ANSWER_BYTES} bytes`);
  }
}

/** The items of `{"output": […]}`. */
function itemsIn(text: string, answered: Answered): readonly ResponseItem[] {
  if (text.trim() === '') throw unusable(answered, 'an empty body');
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw unusable(answered, 'something that is not JSON', cause);
  }
  const output = isJsonObject(answer) ? answer['output'] : undefined;
  if (!Array.isArray(output)) throw unusable(answered, `no list of items${errorIn(answer, answered)}`);
  return output.map((element, index) => {
    const item = parseResponseItem(element);
    if (item === undefined) throw unusable(answered, `an item without a type (output[${index}])`);
    return item;
  });
}

/** What an error object under a good status says. */
function errorIn(answer: unknown, { context }: Answered): string {
  const error = isJsonObject(answer) ? objectAt(answer, 'error') : undefined;
  const message = error === undefined ? undefined : stringAt(error, 'message');
  if (message === undefined) return '';
  const line = withoutSecrets(message.replace(/\s+/g, ' ').trim(), context.secrets);
  return ` but an error: ${line.slice(0, MAX_DETAIL_CHARACTERS)}`;
}

function unusable({ response }: Answered, what: string, cause?: unknown): ModelError {
  return new ModelError('stream-protocol', `${printableUrl(response.url)} answered the compaction with ${what}`, {
    retryable: false,
    httpStatus: response.status,
    requestId: requestIdOf(response.headers),
    cause,
  });
}

function failure(
  { response }: Answered,
  code: 'stream-truncated' | 'idle-timeout',
  what: string,
  options: { readonly cause?: unknown } = {},
): ModelError {
  return new ModelError(code, `${printableUrl(response.url)} ${what}`, {
    retryable: true,
    requestId: requestIdOf(response.headers),
    ...options,
  });
}
