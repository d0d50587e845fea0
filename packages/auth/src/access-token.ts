import { createDialer, NetworkError } from '@quire/network';
import { type JsonObject, parseJsonObject, stringAt } from '@quire/protocol';
import { AuthError } from './auth-error.ts';
import type { AccountClaims } from './credentials/jwt.ts';
import type { AccessTokenLogin } from './credentials/login.ts';
import { type Environment, tokenOwnerUrl } from './endpoints.ts';
import { type ClientIdentity, get, type PostAnswer } from './post.ts';

const TIMEOUT_MS = 10_000;
/** Source: observed with the peer 0.169, which takes what begins otherwise for something else. */
const TOKEN = /^at-[\x21-\x7e]+$/;

/**
 * Asks the service whose token it is, which the token does not tell. Rejects with AuthError 'unusable-key' for what is no
 * token or is not accepted, 'no-credentials' when nobody can be asked, or the reason of the signal.
 *
 * @param source where the token comes from, for messages
 */
export async function identifyAccessToken(
  token: string,
  asking: {
    readonly source: string;
    readonly environment: Environment;
    readonly client: ClientIdentity | undefined;
    readonly signal: AbortSignal;
  },
): Promise<AccessTokenLogin> {
  const { source, environment, client, signal } = asking;
  if (!TOKEN.test(token)) {
    throw new AuthError('unusable-key', `${source} holds no personal access token: those begin with "at-"`);
  }
  const url = tokenOwnerUrl(environment);
  const dialer = createDialer({ environment });
  let answer: PostAnswer;
  try {
    answer = await get(url, { dialer, client, bearer: token, timeoutMs: TIMEOUT_MS, signal });
  } catch (cause) {
    if (!(cause instanceof NetworkError)) throw cause;
    throw new AuthError('no-credentials', `nobody can be asked whose token ${source} holds: ${cause.message}`, {
      cause,
    });
  } finally {
    dialer.close();
  }
  const { status } = answer;
  if (status === 401 || status === 403) {
    throw new AuthError('unusable-key', `the token of ${source} is not accepted (status ${status}); make a new one`);
  }
  const body = status >= 200 && status <= 299 ? parseJsonObject(answer.text) : undefined;
  if (body !== undefined) return { kind: 'access-token', token, owner: ownerIn(body) };
  const what = status >= 200 && status <= 299 ? 'something that is not a JSON object' : `status ${status}`;
  throw new AuthError(
    'no-credentials',
    `${url.host} answered with ${what} when asked whose token ${source} holds; try again, or log in with quire login`,
  );
}

function ownerIn(body: JsonObject): AccountClaims {
  return {
    email: stringAt(body, 'email'),
    planType: stringAt(body, 'chatgpt_plan_type'),
    userId: stringAt(body, 'chatgpt_user_id'),
    accountId: stringAt(body, 'chatgpt_account_id'),
  };
}
