import { parseBody, type RecordedRequest } from '../recorded-request.ts';
import { checkBody, checkTools } from './check-body.ts';
import { checkHeaders } from './check-headers.ts';
import { checkInput } from './check-input.ts';
import type { ThreadHistory } from './thread-history.ts';

export interface CheckOptions {
  readonly expectAuthorization: string | undefined;
  readonly history: ThreadHistory;
}

/** Every broken invariant of one request, as sentences. Empty when all hold. */
export function checkRequest(request: RecordedRequest, options: CheckOptions): readonly string[] {
  const problems = [...checkHeaders(request, options)];
  // An empty recorded body may also be the object `{}`, so the bytes decide.
  if (Object.keys(request.body).length === 0 && parseBody(request.rawBody) === undefined) {
    return [...problems, 'the body is not a JSON object'];
  }
  problems.push(...checkBody(request.body), ...checkTools(request.body), ...checkInput(request.input));
  problems.push(...options.history.check(request));
  return problems;
}
