import { encodeJwt, Simulator } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { enforceRestrictions, forbiddenReason, type Login, LoginKeeper, type LoginRestrictions } from '../src/index.ts';
import { createHome, failure, signal, stored } from './support/home.ts';

const idToken = (accountId: string): string =>
  encodeJwt({ 'https://api.openai.com/auth': { chatgpt_account_id: accountId } });
const KEY: Login = { kind: 'api-key', key: 'k' };
const person = (id: string): Login => ({
  kind: 'chatgpt',
  idToken: id,
  accessToken: 'a',
  refreshToken: 'r',
  // What the file says does not count.
  accountId: 'w1',
  lastRefreshMs: 0,
});
const HOST: Login = { kind: 'chatgpt-host', accessToken: 'a', accountId: 'w1', email: undefined, planType: undefined };

describe('what the configuration allows', () => {
  test.each([
    ['a key where logins are forced', KEY, { method: 'chatgpt' }, 'only ChatGPT logins'],
    ['a login where keys are forced', person(idToken('w1')), { method: 'api' }, 'only API keys'],
    ['a host where keys are forced', HOST, { method: 'api' }, 'only API keys'],
    ['a login where logins are forced', person(idToken('w1')), { method: 'chatgpt' }, undefined],
    ['a key where keys are forced', KEY, { method: 'api' }, undefined],
    ['a key where a workspace is forced', KEY, { workspaces: ['w2'] }, undefined],
    ['the workspace that is forced', person(idToken('w1')), { workspaces: ['w0', 'w1'] }, undefined],
    ['another workspace', person(idToken('w2')), { workspaces: ['w1'] }, 'only other workspaces'],
    ['no workspace that is known', person(encodeJwt({})), { workspaces: ['w1'] }, 'only other workspaces'],
    ['the workspace of a host', HOST, { workspaces: ['w1'] }, undefined],
    ['another workspace of a host', HOST, { workspaces: ['w2'] }, 'only other workspaces'],
  ] as const)('%s [AUTH-96]', (_name, login, restrictions, expected) => {
    const reason = forbiddenReason(login, { method: undefined, workspaces: undefined, ...restrictions });
    if (expected === undefined) expect(reason).toBeUndefined();
    else expect(reason).toContain(expected);
  });

  test('what it does not allow is taken away before anything begins [AUTH-97]', async () => {
    await using home = await createHome();
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    await home.write(stored({ idToken: idToken('w2'), accessToken: 'a', refreshToken: 'r' }));
    const allowed = { method: undefined, workspaces: ['w2'] };
    await enforceRestrictions(keeper, allowed, { key: undefined, signal });
    expect(await keeper.readStored({ signal })).toBeDefined();
    const error = await failure(
      enforceRestrictions(keeper, { ...allowed, workspaces: ['w1'] }, { key: undefined, signal }),
    );
    expect([error.code, await keeper.readStored({ signal })]).toEqual(['forbidden', undefined]);
  });

  test('a login that is allowed and was stored since the other one was read stays [AUTH-130]', async () => {
    await using home = await createHome();
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    const only = { method: undefined, workspaces: ['w1'] };
    await home.write(stored({ idToken: idToken('w2'), accessToken: 'a', refreshToken: 'r' }));
    await keeper.read({ signal });
    await home.write(stored({ idToken: idToken('w1'), accessToken: 'b', refreshToken: 's' }));
    await enforceRestrictions(keeper, only, { key: undefined, signal });
    expect(await keeper.read({ signal })).toMatchObject({ accessToken: 'b' });
  });
});

describe('what is given beside the stored login and is not allowed is refused by its name, and the stored one stays:', () => {
  const KEY_OF_RUN = { text: 'sk-secret-of-this-run', name: 'CODEX_API_KEY' };

  test('a key [AUTH-97] [AUTH-130]', async () => {
    await using home = await createHome();
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    await home.write(stored({ idToken: idToken('w1'), accessToken: 'a', refreshToken: 'r' }));
    const before = await home.text();
    const restrictions = { method: 'chatgpt', workspaces: undefined } as const;
    const error = await failure(enforceRestrictions(keeper, restrictions, { key: KEY_OF_RUN, signal }));
    expect([error.code, error.message]).toEqual([
      'forbidden',
      'forced_login_method allows only ChatGPT logins, not API keys; check CODEX_API_KEY, or leave it away',
    ]);
    expect(await home.text()).toBe(before);
    await enforceRestrictions(keeper, restrictions, { key: undefined, signal });
    await enforceRestrictions(keeper, { ...restrictions, method: 'api' }, { key: KEY_OF_RUN, signal });
    expect(await home.text()).toBe(before);
  });

  test('a personal access token [AUTH-130]', async () => {
    await using home = await createHome();
    await using sim = await Simulator.start({ oauth: {} });
    const token = sim.oauth.issueAccessToken();
    await home.write({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-stored' });
    const before = await home.text();
    const keeper = new LoginKeeper({
      home: home.path,
      environment: { CODEX_ACCESS_TOKEN: token, CODEX_AUTHAPI_BASE_URL: `${sim.issuer}/api/accounts` },
    });
    const refuse = async (restrictions: LoginRestrictions): Promise<string> =>
      (await failure(enforceRestrictions(keeper, restrictions, { key: undefined, signal }))).message;
    expect(await refuse({ method: 'api', workspaces: undefined })).toBe(
      'forced_login_method allows only API keys, not ChatGPT logins; check CODEX_ACCESS_TOKEN, or leave it away',
    );
    expect(await refuse({ method: undefined, workspaces: ['other'] })).toBe(
      'forced_chatgpt_workspace_id allows only other workspaces than that of this login; check CODEX_ACCESS_TOKEN, or leave it away',
    );
    expect(await home.text()).toBe(before);
  });

  test('tokens of a host program, which stay its own [AUTH-130]', async () => {
    await using home = await createHome();
    await home.write({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-stored' });
    const before = await home.text();
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    keeper.useHost({ accessToken: encodeJwt({}), accountId: 'w1' }, { refresh: () => Promise.reject(new Error('no')) });
    const restrictions = { method: 'api', workspaces: undefined } as const;
    const error = await failure(enforceRestrictions(keeper, restrictions, { key: undefined, signal }));
    expect(error.message).toBe(
      'forced_login_method allows only API keys, not ChatGPT logins; the tokens of this program can not be used',
    );
    expect([keeper.hasHost, await home.text()]).toEqual([true, before]);
  });
});
