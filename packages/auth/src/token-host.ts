import { isJsonObject, ModelError } from '@quire/protocol';
import { AuthError } from './auth-error.ts';
import { accountClaims, decodeJwt } from './credentials/jwt.ts';
import type { HostLogin } from './credentials/login.ts';

/** Tokens as the program that runs this one hands them over. */
export interface HostTokens {
  /** A JWT. */
  readonly accessToken: string;
  /** The workspace. */
  readonly accountId: string;
  /** Instead of what the token says. */
  readonly planType?: string | undefined;
}

/** The program that owns the tokens. */
export interface TokenHost {
  /**
   * Asks for others in place of those that were refused. May reject with anything; is not waited for longer than ten
   * seconds, and the signal fires then.
   */
  refresh(
    request: { readonly reason: 'unauthorized'; readonly previousAccountId: string },
    options: { readonly signal: AbortSignal },
  ): Promise<HostTokens>;
}

/** Source: measured, peer 0.169. */
export const HOST_TIMEOUT_MS = 10_000;

/** What a header can carry. */
const SENDABLE = /^[\x21-\x7e]+$/;

/**
 * Throws AuthError 'unusable-key' for what are no tokens and a token that is no JWT, 'forbidden' for another workspace than
 * allowed.
 * @param tokens as the program of somebody else made them: of any form
 */
export function hostLogin(tokens: unknown, options: { readonly workspaces: readonly string[] | undefined }): HostLogin {
  const { accessToken, accountId, planType: givenPlan } = isJsonObject(tokens) ? tokens : {};
  if (!isSendable(accessToken) || !isSendable(accountId)) {
    const what = isSendable(accessToken) ? 'workspace' : 'access token';
    throw new AuthError('unusable-key', `the ${what} of the host program is no text that can be sent`);
  }
  const claims = decodeJwt(accessToken);
  if (claims === undefined) throw new AuthError('unusable-key', 'the access token of the host program is no JWT');
  if (options.workspaces !== undefined && !options.workspaces.includes(accountId)) {
    throw new AuthError(
      'forbidden',
      'the tokens of the host program are for another workspace than forced_chatgpt_workspace_id allows',
    );
  }
  const { email, planType } = accountClaims(claims);
  return {
    kind: 'chatgpt-host',
    accessToken,
    accountId,
    email,
    planType: typeof givenPlan === 'string' ? givenPlan : planType,
  };
}

function isSendable(value: unknown): value is string {
  return typeof value === 'string' && SENDABLE.test(value);
}

/** Asks the host; its answer may be anything. Rejects with ModelError, always worth another try, or the reason of the signal. */
export async function askHost(
  host: TokenHost,
  previousAccountId: string,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<unknown> {
  const { signal, timeoutMs } = options;
  signal.throwIfAborted();
  const asking = new AbortController();
  return await new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      finish();
      asking.abort(); // nothing is waited for any more
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    const timer = setTimeout(() => {
      const what = `the host program sent no new tokens within ${timeoutMs / 1000} s`;
      settle(() => reject(new ModelError('request-timeout', what, { retryable: true })));
    }, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    Promise.resolve()
      .then(() => host.refresh({ reason: 'unauthorized', previousAccountId }, { signal: asking.signal }))
      .then(
        (tokens: unknown) => settle(() => resolve(tokens)),
        (cause: unknown) => settle(() => reject(hostFailure(cause))),
      );
  });
}

/** Of what the host answers only a code is told: the rest may hold a token. */
function hostFailure(cause: unknown): ModelError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const known = typeof code === 'number' || (typeof code === 'string' && /^[\w-]{1,40}$/.test(code));
  const word = known ? ` (${String(code)})` : '';
  return new ModelError('unexpected-status', `the host program could not renew its tokens${word}`, { retryable: true });
}
