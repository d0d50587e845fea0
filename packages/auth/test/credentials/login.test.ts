import { encodeJwt } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { documentOf, loginOf, withTokens } from '../../src/credentials/auth-document.ts';
import { decodeJwt, tokenTimes } from '../../src/credentials/jwt.ts';
import { planName } from '../../src/credentials/plan.ts';
import { accountOf, type ChatgptLogin, type HostLogin, type Login, maskKey, wireAuthMode } from '../../src/index.ts';

const PLACE = { name: 'auth.json', remedy: 'fix it' };
const AUTH = 'https://api.openai.com/auth';
const chatgpt = (claims: Parameters<typeof encodeJwt>[0] = {}): ChatgptLogin => ({
  kind: 'chatgpt',
  idToken: encodeJwt(claims),
  accessToken: 'access',
  refreshToken: 'refresh',
  accountId: 'account-1',
  lastRefreshMs: Date.parse('2026-02-01T10:00:00.123Z'),
});
const host: HostLogin = { kind: 'chatgpt-host', accessToken: 'a', accountId: 'w', email: undefined, planType: 'hc' };

test('three kinds of login have three names on the wire [AUTH-20]', () => {
  const logins: Login[] = [{ kind: 'api-key', key: 'k' }, chatgpt(), host];
  expect(logins.map(wireAuthMode)).toEqual(['apikey', 'chatgpt', 'chatgptAuthTokens']);
});

test('a stored key has two fields, a stored login those of the file format [AUTH-21]', () => {
  expect(documentOf({ kind: 'api-key', key: 'k' })).toEqual({ auth_mode: 'apikey', OPENAI_API_KEY: 'k' });
  const login = chatgpt();
  const document = documentOf(login, { exchangedKey: 'sk-1' });
  expect(document).toEqual({
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: 'sk-1',
    tokens: { id_token: login.idToken, access_token: 'access', refresh_token: 'refresh', account_id: 'account-1' },
    last_refresh: '2026-02-01T10:00:00.123Z',
  });
  expect(loginOf(document, PLACE)).toEqual(login);
});

test('renewed tokens leave what is not known in its place [AUTH-22]', () => {
  const before = {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: { id_token: 'old', access_token: 'old', refresh_token: 'old', account_id: 'old', login_owner_id: 'o' },
    last_refresh: '2026-01-01T00:00:00.123456789Z',
    agent_identity: { x: 1 },
  };
  const login = chatgpt();
  expect(withTokens(before, login)).toEqual({
    ...before,
    tokens: {
      ...before.tokens,
      id_token: login.idToken,
      access_token: 'access',
      refresh_token: 'refresh',
      account_id: 'account-1',
    },
    last_refresh: '2026-02-01T10:00:00.123Z',
  });
  expect(loginOf(before, PLACE)).toMatchObject({ lastRefreshMs: Date.parse('2026-01-01T00:00:00.123Z') });
});

describe('claims', () => {
  test.each([
    ['at the top', { email: 'a@b.test' }, 'a@b.test'],
    ['in the profile', { 'https://api.openai.com/profile': { email: 'a@b.test' } }, 'a@b.test'],
    ['in both', { email: 'a@b.test', 'https://api.openai.com/profile': { email: 'other' } }, 'a@b.test'],
    ['nowhere', {}, undefined],
  ])('the mail address %s [AUTH-23]', (_where, claims, email) => {
    expect(accountOf(chatgpt(claims))?.email).toBe(email);
  });

  test('plan, user and workspace come from the namespace of the service; without it they are not known [AUTH-23]', () => {
    const auth = { chatgpt_plan_type: 'Plus', user_id: 'u2', chatgpt_account_id: 'w1' };
    expect(accountOf({ ...chatgpt({ [AUTH]: auth }), accountId: undefined })).toEqual({
      email: undefined,
      plan: 'plus',
      rawPlan: 'Plus',
      userId: 'u2',
      accountId: 'w1',
    });
    expect(accountOf({ ...chatgpt({ [AUTH]: 'nonsense' }), accountId: undefined })).toEqual({
      email: undefined,
      plan: undefined,
      rawPlan: undefined,
      userId: undefined,
      accountId: undefined,
    });
    expect(accountOf(host)).toMatchObject({ plan: 'enterprise', accountId: 'w' });
  });

  test.each([
    ['free', 'free'],
    ['HC', 'enterprise'],
    ['education', 'edu'],
    ['constructor', 'unknown'],
    ['galaxy', 'unknown'],
    [undefined, undefined],
  ])('the plan %s is known as %s [AUTH-23]', (raw, plan) => expect(planName(raw)).toBe(plan));

  test.each(['', 'a.b', 'a..c', '.b.c', 'a.b.c.d', 'a.!!!.c', `a.${Buffer.from('[]').toString('base64url')}.c`])(
    '%j is no JWT [AUTH-23]',
    (text) => {
      expect(decodeJwt(text)).toBeUndefined();
      expect(tokenTimes(text)).toEqual({ issuedAtMs: undefined, expiresAtMs: undefined });
    },
  );
});

test.each([
  ['sk-test-1234567890abcdef', 'sk-test-***bcdef'],
  ['sk-test-12345', '***'],
  ['short', '***'],
])('of a key only its ends are shown, of a short one nothing [AUTH-24]', (key, masked) => {
  expect(maskKey(key)).toBe(masked);
});
