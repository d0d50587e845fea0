import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ACCOUNTS, respond, Simulator, type SimulatorOptions, stall, status } from '../../src/index.ts';
import { bodyWith, post, send } from '../support/client.ts';

interface Answer {
  readonly status: number;
  readonly json: Record<string, string>;
  readonly location: URL | undefined;
}

const start = (oauth: SimulatorOptions['oauth'] = {}) => Simulator.start({ oauth });

async function form(sim: Simulator, path: string, fields: Record<string, string>): Promise<Answer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return answerOf(
    await send(`${sim.issuer}${path}`, Buffer.from(String(new URLSearchParams(fields))), { method: 'POST', headers }),
  );
}

async function json(sim: Simulator, path: string, fields: Record<string, string>): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return answerOf(await send(`${sim.issuer}${path}`, fields, { method: 'POST', headers }));
}

function answerOf({ status: code, headers, body }: Awaited<ReturnType<typeof send>>): Answer {
  const text = body.toString();
  const { location } = headers;
  return {
    status: code,
    json: text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : { text },
    location: location === undefined ? undefined : new URL(location),
  };
}

const refresh = (sim: Simulator, token: string) =>
  json(sim, '/oauth/token', { grant_type: 'refresh_token', client_id: 'c', refresh_token: token });

const claims = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

const VERIFIER = 'v'.repeat(64);
const QUERY = {
  response_type: 'code',
  client_id: 'c',
  redirect_uri: 'http://localhost:1/auth/callback',
  scope: 'openid',
  state: 's',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
};

async function authorize(sim: Simulator, query: Record<string, string> = QUERY): Promise<Answer> {
  return answerOf(
    await send(`${sim.issuer}/oauth/authorize?${new URLSearchParams(query)}`, /* body */ undefined, { method: 'GET' }),
  );
}

describe('the authorization server', () => {
  test('trades a code once, against its verifier, for tokens with the claims of the service [OAUTH-01]', async () => {
    await using sim = await start();
    const { location, status: code } = await authorize(sim);
    expect([code, location?.searchParams.get('state')]).toEqual([302, 's']);
    const grant = {
      grant_type: 'authorization_code',
      code: location?.searchParams.get('code') ?? '',
      redirect_uri: QUERY.redirect_uri,
      client_id: 'c',
      code_verifier: VERIFIER,
    };
    const tokens = await form(sim, '/oauth/token', grant);
    expect(claims(tokens.json['id_token'] ?? '')).toMatchObject({
      email: 'person@example.test',
      'https://api.openai.com/auth': {
        chatgpt_plan_type: 'plus',
        chatgpt_user_id: 'user-1',
        chatgpt_account_id: 'account-1',
        organization_id: 'organization-1',
      },
    });
    const access = claims(tokens.json['access_token'] ?? '');
    expect(Number(access['exp']) - Number(access['iat'])).toBe(3600);
    expect((await form(sim, '/oauth/token', grant)).json['error']).toBe('invalid_grant');
    for (const wrong of [{ code_verifier: 'x' }, { redirect_uri: 'http://localhost:2/' }, { client_id: 'other' }]) {
      const again = (await authorize(sim)).location?.searchParams.get('code') ?? '';
      expect((await form(sim, '/oauth/token', { ...grant, code: again, ...wrong })).json['error']).toBe(
        'invalid_grant',
      );
    }
  });

  test('refuses what lacks a part, and sends those back who may not [OAUTH-01]', async () => {
    await using sim = await start({ account: ACCOUNTS.notEntitled });
    expect((await authorize(sim, { ...QUERY, state: '' })).status).toBe(400);
    expect((await authorize(sim, { ...QUERY, code_challenge_method: 'plain' })).status).toBe(400);
    const back = (await authorize(sim)).location?.searchParams;
    expect([back?.get('error'), back?.get('error_description'), back?.get('code')]).toEqual([
      'access_denied',
      'missing_codex_entitlement',
      null,
    ]);
    sim.oauth.setAccount(ACCOUNTS.pro);
    expect((await authorize(sim)).location?.searchParams.get('code')).toMatch(/^code-/);
  });

  test('asks a person first where it is told to, on a page [OAUTH-01]', async () => {
    await using sim = await start({ asksForConsent: true });
    const page = await authorize(sim);
    expect([page.status, page.location]).toEqual([200, undefined]);
    expect(page.json['text']).toContain('href="http://localhost:1/auth/callback?state=s&#38;code=code-');
  });

  test('a refresh token is good once; its second use revokes everything of that login [OAUTH-02]', async () => {
    await using sim = await start();
    const first = sim.oauth.logIn();
    const other = sim.oauth.logIn();
    const second = await refresh(sim, first.refreshToken);
    expect(second.status).toBe(200);
    const reused = await refresh(sim, first.refreshToken);
    expect([reused.status, reused.json['error']]).toEqual([
      401,
      { code: 'refresh_token_reused', message: 'the refresh token is reused' },
    ]);
    const after = await refresh(sim, second.json['refresh_token'] ?? '');
    expect(after.json['error']).toMatchObject({ code: 'refresh_token_invalidated' });
    expect([
      sim.oauth.reuseRevocations,
      sim.oauth.accepts(second.json['access_token'] ?? ''),
      sim.oauth.accepts(other.accessToken),
    ]).toEqual([1, false, true]);
    expect((await refresh(sim, 'invented')).json['error']).toBe('invalid_grant');
    sim.oauth.expireRefreshTokens();
    expect((await refresh(sim, other.refreshToken)).json['error']).toMatchObject({ code: 'refresh_token_expired' });
  });

  test('a token is revoked by either of its kinds, and one that is not known is no error [OAUTH-03]', async () => {
    await using sim = await start();
    for (const kind of ['refreshToken', 'accessToken'] as const) {
      const login = sim.oauth.logIn();
      expect((await json(sim, '/oauth/revoke', { token: login[kind] })).status).toBe(200);
      expect(sim.oauth.accepts(login.accessToken)).toBe(false);
    }
    expect((await json(sim, '/oauth/revoke', { token: 'invented' })).status).toBe(200);
  });

  test('a device is told to wait until its code is typed in, then gets code and verifier [OAUTH-04]', async () => {
    await using sim = await start({ deviceInterval: '7' });
    const { json: begun } = await json(sim, '/api/accounts/deviceauth/usercode', { client_id: 'c' });
    expect(begun).toEqual({ device_auth_id: 'device-0', user_code: sim.oauth.pendingUserCodes[0], interval: '7' });
    const poll = () =>
      json(sim, '/api/accounts/deviceauth/token', {
        device_auth_id: begun['device_auth_id'] ?? '',
        user_code: begun['user_code'] ?? '',
      });
    expect((await poll()).status).toBe(403);
    sim.oauth.approveDevice(begun['user_code'] ?? '', ACCOUNTS.enterprise);
    const { json: allowed } = await poll();
    const tokens = await form(sim, '/oauth/token', {
      grant_type: 'authorization_code',
      code: allowed['authorization_code'] ?? '',
      redirect_uri: `${sim.issuer}/deviceauth/callback`,
      client_id: 'c',
      code_verifier: allowed['code_verifier'] ?? '',
    });
    expect(claims(tokens.json['id_token'] ?? '')['https://api.openai.com/auth']).toMatchObject({
      chatgpt_plan_type: 'hc',
      chatgpt_account_id: 'workspace-2',
    });
    await using without = await start({ withoutDeviceLogin: true });
    expect((await json(without, '/api/accounts/deviceauth/usercode', { client_id: 'c' })).status).toBe(404);
  });

  test('an endpoint fails as it is told, once each; a held answer has had its effect [OAUTH-05]', async () => {
    await using sim = await start();
    const login = sim.oauth.logIn();
    sim.oauth.failNext('token', status(/* code */ 503, { body: '<html>' }), stall());
    expect(await refresh(sim, login.refreshToken)).toMatchObject({ status: 503, json: { text: '<html>' } });
    const hanging = refresh(sim, login.refreshToken).catch(() => 'gone');
    await sim.oauthRequest(({ endpoint }) => endpoint === 'token', { index: 1 });
    const hold = sim.oauth.holdNext('token');
    const held = refresh(sim, login.refreshToken);
    await hold.arrived;
    expect((await refresh(sim, login.refreshToken)).json['error']).toMatchObject({ code: 'refresh_token_reused' });
    hold.release();
    expect((await held).status).toBe(200);
    expect(sim.oauth.refreshes.length).toBe(4);
    const never = sim.oauth.holdNext('revoke');
    const waiting = json(sim, '/oauth/revoke', { token: 'x' }).catch(() => 'gone');
    await never.arrived;
    await sim.stop();
    expect([await hanging, await waiting]).toEqual(['gone', 'gone']);
  });

  test('guards the models where it is told to: only a good access token gets an answer [OAUTH-06]', async () => {
    let nowMs = Date.now();
    await using sim = await Simulator.start({ oauth: { guardsModels: true, now: () => nowMs }, steps: [respond()] });
    const { accessToken } = sim.oauth.logIn();
    const ask = (token: string) => post(sim, bodyWith(), { headers: { authorization: `Bearer ${token}` } });
    expect((await ask('other')).status).toBe(401);
    expect((await ask(accessToken)).status).toBe(200);
    nowMs += 3600_000;
    expect((await ask(accessToken)).status).toBe(401);
    expect(sim.refusedAuthorizations).toEqual(['Bearer other', `Bearer ${accessToken}`]);
  });

  test('has a page where a person lets a device log in [OAUTH-08]', async () => {
    await using sim = await start();
    const { json: device } = await json(sim, '/api/accounts/deviceauth/usercode', { client_id: 'c' });
    const open = async (query = '') => {
      const answer = await send(`${sim.issuer}/codex/device${query}`, /* body */ undefined, { method: 'GET' });
      return /<p>(.*?)<\/p>/.exec(answer.body.toString())?.[1];
    };
    expect(await open()).toBe('Type in the code that the other machine shows.');
    expect(await open('?code=WRONG')).toBe('No login waits for this code. Type it in again.');
    expect(sim.oauth.pendingUserCodes).toEqual([device['user_code']]);
    expect(await open(`?code=+${device['user_code']?.toLowerCase()}`)).toBe('The other machine is logged in.');
    expect(sim.oauth.pendingUserCodes).toEqual([]);
  });

  test('tells whose a personal access token is, and lets it through to the models [OAUTH-07]', async () => {
    await using sim = await Simulator.start({ oauth: { guardsModels: true }, steps: [respond()] });
    const token = sim.oauth.issueAccessToken(ACCOUNTS.business);
    const whose = async (bearer: string) => {
      const headers = { authorization: `Bearer ${bearer}` };
      const path = '/api/accounts/v1/user-auth-credential/whoami';
      const answer = await send(`${sim.issuer}${path}`, /* body */ undefined, { method: 'GET', headers });
      return [answer.status, JSON.parse(answer.body.toString())];
    };
    expect(await whose(token)).toEqual([
      200,
      {
        email: 'person@example.test',
        chatgpt_user_id: 'user-1',
        chatgpt_account_id: 'workspace-1',
        chatgpt_plan_type: 'business',
        chatgpt_account_is_fedramp: false,
      },
    ]);
    expect((await whose(sim.oauth.logIn().accessToken))[0]).toBe(401);
    const asked = await post(sim, bodyWith(), { headers: { authorization: `Bearer ${token}` } });
    expect(asked.status).toBe(200);
    sim.oauth.revoke(token);
    expect((await whose(token))[0]).toBe(401);
  });

  test('is not there unless it is asked for [OAUTH-01]', async () => {
    const sim = await Simulator.start();
    expect((await refresh(sim, 'x')).status).toBe(404);
    await sim.stop();
  });
});
