import { accountOf, type Login, maskKey, wireAuthMode } from '@quire/auth';

/** What `login status --json` prints. No field holds a secret. */
export interface LoginFacts {
  readonly loggedIn: boolean;
  readonly authMode: string | null;
  readonly email: string | null;
  readonly plan: string | null;
  readonly accountId: string | null;
}

export function describeLogin(login: Login | undefined): { readonly text: string; readonly facts: LoginFacts } {
  const account = login === undefined ? undefined : accountOf(login);
  const facts: LoginFacts = {
    loggedIn: login !== undefined,
    authMode: login === undefined ? null : wireAuthMode(login),
    email: account?.email ?? null,
    plan: account?.plan ?? null,
    accountId: account?.accountId ?? null,
  };
  return { text: textOf(login, facts), facts };
}

function textOf(login: Login | undefined, { email, plan }: LoginFacts): string {
  if (login === undefined) return 'Nobody is logged in; quire login does that.';
  if (login.kind === 'api-key') return `Logged in with an API key: ${maskKey(login.key)}`;
  const details = [email, plan === null ? null : `plan ${plan}`].filter((detail) => detail !== null);
  const way = login.kind === 'access-token' ? 'an access token' : 'ChatGPT';
  return `Logged in with ${way}${details.length === 0 ? '' : ` (${details.join(', ')})`}`;
}
