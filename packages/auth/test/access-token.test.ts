import { ACCOUNTS, Simulator, status } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import {
  accountOf,
  credentialsOf,
  enforceRestrictions,
  LoginKeeper,
  type LoginKeeperOptions,
  loadLogins,
  wireAuthMode,
} from '../src/index.ts';
import { createHome, failure, type Home, signal, stored } from './support/home.ts';

function keeperAt(
  home: Home,
  simulator: Simulator,
  given: Partial<LoginKeeperOptions> & { readonly token?: string } = {},
): LoginKeeper {
  const { token, ...options } = given;
  return new LoginKeeper({
    home: home.path,
    environment: {
      CODEX_AUTHAPI_BASE_URL: `${simulator.issuer}/api/accounts`,
      ...(token === undefined ? {} : { CODEX_ACCESS_TOKEN: ` ${token}\n` }),
    },
    ...options,
  });
}

describe('CODEX_ACCESS_TOKEN', () => {
  test('goes before what is stored; the service is asked once whose it is, and nothing is written [AUTH-115]', async () => {
    await using home = await createHome();
    await using simulator = await Simulator.start({ oauth: {} });
    await home.write(stored({ accessToken: 'stored', refreshToken: 'r' }));
    const before = await home.text();
    const token = simulator.oauth.issueAccessToken(ACCOUNTS.business);
    const keeper = keeperAt(home, simulator, { token });
    const login = await keeper.current({ signal });
    await keeper.current({ signal });
    if (login === undefined) throw new Error('nobody');
    expect(credentialsOf(login)).toEqual({ kind: 'chatgpt', accessToken: token, accountId: 'workspace-1' });
    expect(accountOf(login)).toEqual({
      email: 'person@example.test',
      plan: 'business',
      rawPlan: 'business',
      accountId: 'workspace-1',
      userId: 'user-1',
    });
    expect(wireAuthMode(login)).toBe('personalAccessToken');
    expect(simulator.oauth.requests.map(({ endpoint }) => endpoint)).toEqual(['token-owner']);
    expect(await home.text()).toBe(before);
    expect(await keeper.recover({ signal }).next()).toEqual({ done: true, value: undefined });
  });

  test('does not count where logins are kept in memory only [AUTH-115]', async () => {
    await using home = await createHome();
    await using simulator = await Simulator.start({ oauth: {} });
    const token = simulator.oauth.issueAccessToken();
    const keeper = keeperAt(home, simulator, { token, storeKind: 'ephemeral' });
    expect(await keeper.read({ signal })).toBe(undefined);
  });

  test('that is none, or that the service does not know, is an error that says so without it [AUTH-116]', async () => {
    await using home = await createHome();
    await using simulator = await Simulator.start({ oauth: {} });
    const read = async (token: string) => {
      const { code, message } = await failure(keeperAt(home, simulator, { token }).read({ signal }));
      return `${code}: ${message}`;
    };
    const host = new URL(simulator.issuer).host;
    expect(await read('sk-something')).toBe(
      'unusable-key: CODEX_ACCESS_TOKEN holds no personal access token: those begin with "at-"',
    );
    expect(await read('at-unknown-1')).toBe(
      'unusable-key: the token of CODEX_ACCESS_TOKEN is not accepted (status 401); make a new one',
    );
    simulator.oauth.failNext('token-owner', status(/* code */ 200, { body: '<html>portal</html>' }));
    expect(await read('at-unknown-2')).toBe(
      `no-credentials: ${host} answered with something that is not a JSON object when asked whose token CODEX_ACCESS_TOKEN holds; try again, or log in with quire login`,
    );
    simulator.oauth.failNext('token-owner', status(/* code */ 503));
    expect(await read('at-unknown-3')).toContain(`no-credentials: ${host} answered with status 503`);
  });

  test('obeys the workspaces that are forced [AUTH-116]', async () => {
    await using home = await createHome();
    await using simulator = await Simulator.start({ oauth: {} });
    const keeper = keeperAt(home, simulator, { token: simulator.oauth.issueAccessToken(ACCOUNTS.business) });
    const check = (workspaces: readonly string[]) =>
      enforceRestrictions(keeper, { method: undefined, workspaces }, { key: undefined, signal });
    await check(['workspace-1']);
    expect((await failure(check(['other']))).code).toBe('forbidden');
  });
});

test('a personal access token from stdin is stored once its owner is known, and read as such [AUTH-117]', async () => {
  await using home = await createHome();
  await using simulator = await Simulator.start({ oauth: {} });
  const token = simulator.oauth.issueAccessToken();
  const keeper = keeperAt(home, simulator);
  const environment = { CODEX_AUTHAPI_BASE_URL: `${simulator.issuer}/api/accounts` };
  const context = { keeper, client: undefined, environment, workspaces: undefined, signal };
  const { withAccessToken } = loadLogins();
  const refused = await failure(withAccessToken('at-nobody', context));
  expect(refused.code).toBe('unusable-key');
  await withAccessToken(`${token}\n`, context);
  expect(await home.json()).toEqual({ OPENAI_API_KEY: null, personal_access_token: token });
  const login = await keeperAt(home, simulator).read({ signal });
  expect(login).toMatchObject({ kind: 'access-token', token, owner: { accountId: 'account-1' } });
  const other = await failure(withAccessToken(token, { ...context, workspaces: ['other'] }));
  expect(other.code).toBe('forbidden');
});
