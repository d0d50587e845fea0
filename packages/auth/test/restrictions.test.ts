import { encodeJwt } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { enforceRestrictions, forbiddenReason, type Login, LoginKeeper } from '../src/index.ts';
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

  test('a key of the environment counts as the login [AUTH-97]', async () => {
    await using home = await createHome();
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    const restrictions = { method: 'chatgpt', workspaces: undefined } as const;
    expect((await failure(enforceRestrictions(keeper, restrictions, { key: 'k', signal }))).code).toBe('forbidden');
    await enforceRestrictions(keeper, restrictions, { key: undefined, signal });
  });
});
