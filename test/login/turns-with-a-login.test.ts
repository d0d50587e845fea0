/** Turns of the built command with a stored login, against a service that guards its models. */
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ACCOUNTS, type IssuedTokens, respond, type Step, status, text } from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type InstalledCommand, installCommand } from '../support/installed-command.ts';
import { createLoginScene, DAY_MS, type LoginScene, loginFile, tokensIn } from './support/login-scene.ts';

let command: InstalledCommand;
beforeAll(async () => {
  command = await installCommand();
});
afterAll(() => command[Symbol.asyncDispose]());

const bearer = (token: unknown): string => `Bearer ${String(token)}`;
const done = respond(text('Done.'));

describe('tokens that do not tell their end', () => {
  const OPAQUE = { opaqueAccessTokens: true };

  test('are renewed once, before the first request, when they are 8.1 days old [CHECK-05] [CHECK-08]', async () => {
    await using scene = await createLoginScene(command, { oauth: OPAQUE });
    const old = scene.sim.oauth.logIn();
    const lastRefreshMs = Date.now() - 8.1 * DAY_MS;
    await scene.write({ ...loginFile(old, { lastRefreshMs }), kept: 'as it is' });
    const startedAtMs = Date.now();

    const turn = await scene.exec();

    const document = await scene.stored();
    const { access_token: fresh, refresh_token: next } = tokensIn(document);
    expect([turn.code, turn.errors, turn.stderr]).toEqual([0, [], '']);
    expect(scene.sim.oauth.requests.map(({ endpoint }) => endpoint)).toEqual(['token']);
    expect([scene.sim.refusedAuthorizations, scene.authorizations()]).toEqual([[], [bearer(fresh)]]);
    expect([fresh === old.accessToken, next === old.refreshToken, document['kept']]).toEqual([
      false,
      false,
      'as it is',
    ]);
    expect(Date.parse(String(document['last_refresh']))).toBeGreaterThanOrEqual(startedAtMs);
  });

  test('are used as they are when they are 7.9 days old [CHECK-06]', async () => {
    await using scene = await createLoginScene(command, { oauth: OPAQUE });
    const old = scene.sim.oauth.logIn();
    const document = loginFile(old, { lastRefreshMs: Date.now() - 7.9 * DAY_MS });
    await scene.write(document);

    expect((await scene.exec()).code).toBe(0);

    expect([scene.sim.oauth.requests, scene.authorizations()]).toEqual([[], [bearer(old.accessToken)]]);
    expect(await scene.stored()).toEqual(document);
  });

  test('keep their refresh token when the answer brings none [CHECK-07]', async () => {
    await using scene = await createLoginScene(command, { oauth: { ...OPAQUE, keepsRefreshTokens: true } });
    const old = scene.sim.oauth.logIn();
    await scene.write(loginFile(old, { lastRefreshMs: Date.now() - 9 * DAY_MS }));

    expect((await scene.exec()).code).toBe(0);

    const { access_token: fresh, refresh_token: next } = tokensIn(await scene.stored());
    expect([fresh === old.accessToken, next, scene.authorizations()]).toEqual([
      false,
      old.refreshToken,
      [bearer(fresh)],
    ]);
  });
});

describe('a login that can not be renewed', () => {
  const CODES = {
    refresh_token_expired: 'the login has expired; log in again with quire login',
    refresh_token_reused:
      'the login was renewed by another program that did not store the result; log in again with quire login',
    refresh_token_invalidated: 'the login was revoked; log in again with quire login',
  };

  test.each(Object.entries(CODES))(
    'because of %s ends the turn with words of its own, without another attempt [CHECK-09]',
    async (code, message) => {
      await using scene = await createLoginScene(command, { steps: [] });
      const { oauth } = scene.sim;
      const document = loginFile(oauth.logIn());
      await scene.write(document);
      oauth.expireAccessTokens();
      oauth.failNext('token', status(/* code */ 401, { body: { error: { code } } }));

      const turn = await scene.exec();

      expect([turn.code, turn.errors, oauth.refreshes.length]).toEqual([1, [message, message], 1]);
      expect(await scene.stored()).toEqual(document);
    },
  );

  test('for now is tried again with the turn, asking the server anew each time [TRAP-09]', async () => {
    await using scene = await createLoginScene(command, { steps: [] });
    const { oauth } = scene.sim;
    await scene.write(loginFile(oauth.logIn()));
    oauth.expireAccessTokens();
    oauth.failNext('token', ...Array.from({ length: 3 }, () => status(/* code */ 500)));

    const turn = await scene.exec({ argv: providerLike(scene, 'requires_openai_auth=true,stream_max_retries=2') });

    expect([turn.code, oauth.refreshes.length]).toEqual([1, 3]);
    expect(turn.errors.map((message) => message.slice(0, 19))).toEqual([
      'Reconnecting... 1/2',
      'Reconnecting... 2/2',
      ...turn.errors.slice(2).map((message) => message.slice(0, 19)),
    ]);
  });
});

describe('a request that is answered 401', () => {
  test('is repeated with the same token, then with a renewed one [CHECK-10] [TRAP-01]', async () => {
    await using scene = await createLoginScene(command);
    const old = scene.sim.oauth.logIn();
    await scene.write(loginFile(old));
    scene.sim.oauth.expireAccessTokens();

    const turn = await scene.exec();

    const { access_token: fresh } = tokensIn(await scene.stored());
    expect([turn.code, turn.errors]).toEqual([0, []]);
    expect(scene.sim.refusedAuthorizations).toEqual([bearer(old.accessToken), bearer(old.accessToken)]);
    expect([scene.sim.oauth.refreshes.length, scene.authorizations()]).toEqual([1, [bearer(fresh)]]);
  });

  /** The first request is refused when another program has stored this meanwhile. */
  const afterAnother =
    (scene: () => LoginScene, tokens: IssuedTokens, accountId: string): Step =>
    async () => {
      await scene().write(loginFile(tokens, { accountId }));
      return status(/* code */ 401, { body: {} });
    };

  test('is repeated with the tokens that another program stored, without a renewal [CHECK-11]', async () => {
    const steps: Step[] = [];
    await using scene = await createLoginScene(command, { oauth: { guardsModels: false }, steps });
    const [old, newer] = [scene.sim.oauth.logIn(), scene.sim.oauth.logIn()];
    steps.push(
      afterAnother(() => scene, newer, 'account-1'),
      done,
    );
    await scene.write(loginFile(old));

    expect((await scene.exec()).code).toBe(0);

    expect(scene.authorizations()).toEqual([bearer(old.accessToken), bearer(newer.accessToken)]);
    expect(scene.sim.oauth.requests).toEqual([]);
  });

  test('ends at once when another account has logged in meanwhile [CHECK-12]', async () => {
    const steps: Step[] = [];
    await using scene = await createLoginScene(command, { oauth: { guardsModels: false }, steps });
    const old = scene.sim.oauth.logIn();
    steps.push(afterAnother(() => scene, scene.sim.oauth.logIn(ACCOUNTS.business), 'workspace-1'));
    await scene.write(loginFile(old));

    const turn = await scene.exec();

    const message =
      'the stored login was removed or replaced by that of another account since this run began; start again to use it';
    expect([turn.code, turn.errors]).toEqual([1, [message, message]]);
    expect([scene.authorizations(), scene.sim.oauth.requests]).toEqual([[bearer(old.accessToken)], []]);
  });

  test('ends at once for a key [CHECK-13]', async () => {
    await using scene = await createLoginScene(command, { steps: [] });
    await scene.write({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-of-the-test-0123456789' });

    const turn = await scene.exec();

    expect([turn.code, turn.errors.length]).toEqual([1, 2]);
    expect(turn.errors.join()).not.toContain('Reconnecting');
    expect([scene.sim.refusedAuthorizations, scene.sim.oauth.requests]).toEqual([
      [bearer('sk-of-the-test-0123456789')],
      [],
    ]);
  });
});

describe('which credentials a request gets', () => {
  test('a key beside tokens does not count when the file says whose login it is [TRAP-03]', async () => {
    await using scene = await createLoginScene(command);
    const tokens = scene.sim.oauth.logIn();
    await scene.write({ ...loginFile(tokens), OPENAI_API_KEY: 'sk-beside-0123456789' });
    expect((await scene.exec()).code).toBe(0);
    expect(scene.authorizations()).toEqual([bearer(tokens.accessToken)]);
    expect(scene.sim.requests[0]?.headers['chatgpt-account-id']).toBe('account-1');
  });

  test('OPENAI_API_KEY is none, CODEX_API_KEY goes before what is stored [TRAP-02]', async () => {
    await using scene = await createLoginScene(command, { oauth: { guardsModels: false } });
    const without = await scene.exec({ environment: { OPENAI_API_KEY: 'sk-first-0123456789' } });
    expect([without.code, scene.sim.requests.length, without.stderr.includes('CODEX_API_KEY')]).toEqual([1, 0, true]);
    await scene.write({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-stored-0123456789' });
    const environment = { OPENAI_API_KEY: 'sk-first-0123456789', CODEX_API_KEY: ' sk-second-0123456789\n' };
    expect((await scene.exec({ environment })).code).toBe(0);
    expect(scene.authorizations()).toEqual([bearer('sk-second-0123456789')]);
  });

  test('a provider that does not ask for the login gets neither token nor account [TRAP-20]', async () => {
    await using scene = await createLoginScene(command, { oauth: { guardsModels: false } });
    await scene.write(loginFile(scene.sim.oauth.logIn()));
    const environment = { CODEX_API_KEY: 'sk-environment-0123456789' };
    expect((await scene.exec({ argv: providerLike(scene, 'requires_openai_auth=false'), environment })).code).toBe(0);
    expect(scene.sim.requests.map(({ headers }) => [headers['authorization'], headers['chatgpt-account-id']])).toEqual([
      [undefined, undefined],
    ]);
  });

  test('a login of another workspace than its ID token claims is not allowed, and is taken away [TRAP-11]', async () => {
    await using scene = await createLoginScene(command, {
      steps: [],
      config: 'forced_chatgpt_workspace_id = "workspace-1"\n',
    });
    await scene.write(loginFile(scene.sim.oauth.logIn(ACCOUNTS.plus), { accountId: 'workspace-1' }));
    const turn = await scene.exec();
    expect([turn.code, turn.stderr.includes('forced_chatgpt_workspace_id')]).toEqual([1, true]);
    await expect(scene.stored()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('a model whose name begins like a known one is asked for by its own name [TRAP-05]', async () => {
  await using scene = await createLoginScene(command);
  await scene.write(loginFile(scene.sim.oauth.logIn()));
  const turn = await scene.exec({ argv: ['-m', 'gpt-5.2-codex-of-tomorrow'] });
  expect([turn.code, turn.errors, scene.sim.requests[0]?.body['model']]).toEqual([0, [], 'gpt-5.2-codex-of-tomorrow']);
});

test('a typed flag goes before -c, -c before the project, the project before the profile [TRAP-16]', async () => {
  const config = 'profile = "p"\n[profiles.p]\nmodel = "of-the-profile"\n';
  await using scene = await createLoginScene(command, { steps: [done, done, done, done], config });
  await scene.write(loginFile(scene.sim.oauth.logIn()));
  const { project, home } = scene.workspace;
  await appendFile(join(home, 'config.toml'), `[projects."${project}"]\ntrust_level = "trusted"\n`);
  await mkdir(join(project, '.codex'));
  const ofProject = join(project, '.codex/config.toml');
  await writeFile(ofProject, 'model = "of-the-project"\n');
  const override = ['-c', 'model=of-the-override'];

  const codes: unknown[] = [];
  for (const argv of [[...override, '-m', 'of-the-flag'], override, []]) codes.push((await scene.exec({ argv })).code);
  await rm(ofProject);
  codes.push((await scene.exec()).code);

  expect(codes).toEqual([0, 0, 0, 0]);
  expect(scene.sim.requests.map(({ body }) => body['model'])).toEqual([
    'of-the-flag',
    'of-the-override',
    'of-the-project',
    'of-the-profile',
  ]);
});

/** A provider of the user's own at the same place. */
function providerLike({ sim }: LoginScene, settings: string): readonly string[] {
  const table = `{name="Mine",base_url="${sim.url}",${settings}}`;
  return ['-c', 'model_provider=mine', '-c', `model_providers.mine=${table}`];
}
