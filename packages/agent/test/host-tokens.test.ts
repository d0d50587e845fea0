import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostTokens, Quire, type QuireOptions, TurnFailedError } from '@quire/agent';
import { respond, Simulator, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { createWorkspace, type Workspace } from './workspace.ts';

const ACCOUNT = 'account-1';
/** One attempt for a request: a failure ends the turn. */
const ONCE = ['model=gpt-5.2-codex', 'features.responses_websockets=false'];

function quireOf(
  { home }: Workspace,
  simulator: Simulator,
  options: QuireOptions & { readonly variables?: Readonly<Record<string, string>> },
): Quire {
  const { variables, configOverrides = [], ...rest } = options;
  return new Quire({
    home,
    environment: { PATH: process.env['PATH'], HOME: home, ...variables },
    baseUrl: simulator.url,
    configOverrides: [...ONCE, ...configOverrides],
    ...rest,
  });
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'none',
    (error: unknown) => (error instanceof Error && 'code' in error ? `${error.code}: ${error.message}` : String(error)),
  );
}

async function contentsOf(home: string): Promise<string> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
}

describe('ChatGPT tokens that the program owns', () => {
  test('go before every other login, are renewed by asking it, and are written nowhere [AGENT-79]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({
      oauth: { guardsModels: true },
      steps: [respond(text('One.')), respond(text('Two.'))],
    });
    await writeFile(join(workspace.home, 'auth.json'), '{"auth_mode":"apikey","OPENAI_API_KEY":"sk-stored-key"}');
    const given: string[] = [];
    const asked: unknown[] = [];
    const next = (): HostTokens => {
      const { accessToken } = simulator.oauth.logIn();
      given.push(accessToken);
      return { accessToken, accountId: ACCOUNT };
    };
    const quire = quireOf(workspace, simulator, {
      variables: { CODEX_API_KEY: 'sk-in-the-environment' },
      tokens: {
        ...next(),
        refresh: async (request) => {
          asked.push(request);
          return next();
        },
      },
    });
    await using thread = await quire.startThread({ workingDirectory: workspace.repository });
    await thread.run(`mine is ${given[0]}`);
    simulator.oauth.expireAccessTokens();
    await thread.run('go on');

    expect(asked).toEqual([{ reason: 'unauthorized', previousAccountId: ACCOUNT }]);
    expect(simulator.requests.map(({ headers }) => headers['authorization'])).toEqual(
      [given[0], given[1]].map((token) => `Bearer ${token}`),
    );
    expect(simulator.requests.at(-1)?.headers['chatgpt-account-id']).toBe(ACCOUNT);
    expect(simulator.oauth.requests).toEqual([]);
    const written = await contentsOf(workspace.home);
    for (const token of given) expect(written).not.toContain(token);
  });

  test('whose program can not renew them end the turn after it was asked anew, with a code and no token [AGENT-79]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ oauth: { guardsModels: true } });
    let asked = 0;
    const { accessToken } = simulator.oauth.logIn();
    simulator.oauth.expireAccessTokens();
    const quire = quireOf(workspace, simulator, {
      tokens: {
        accessToken,
        accountId: ACCOUNT,
        refresh: async () => {
          asked += 1;
          throw Object.assign(new Error(`no luck with ${accessToken}`), { code: -32_000 });
        },
      },
    });
    await using thread = await quire.startThread({ workingDirectory: workspace.repository });
    const failure = await thread.run('go').then(undefined, (error: unknown) => error);
    expect(failure).toBeInstanceOf(TurnFailedError);
    expect(String(failure)).toContain('the host program could not renew its tokens (-32000)');
    expect(String(failure)).not.toContain(accessToken);
    expect(asked).toBe(6);
  }, 30_000);

  test('that are not allowed are refused before anything is written, and the stored login stays [AGENT-80]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ oauth: {} });
    const stored = '{"auth_mode":"apikey","OPENAI_API_KEY":"sk-stored-key"}';
    await writeFile(join(workspace.home, 'auth.json'), stored);
    const { accessToken } = simulator.oauth.logIn();
    const refresh = (): Promise<HostTokens> => Promise.reject(new Error('not asked'));
    const start = (options: QuireOptions): Promise<string> =>
      problemOf(quireOf(workspace, simulator, options).startThread({ workingDirectory: workspace.repository }));
    const tokens = { accessToken, accountId: ACCOUNT, refresh };
    expect(await start({ tokens, configOverrides: ['forced_login_method=api'] })).toBe(
      'no-credentials: forced_login_method allows only API keys, not the tokens of this program',
    );
    expect(await start({ tokens, configOverrides: ['forced_chatgpt_workspace_id=other'] })).toBe(
      'no-credentials: the tokens of the host program are for another workspace than forced_chatgpt_workspace_id allows',
    );
    expect(await start({ tokens: { ...tokens, accessToken: 'opaque' } })).toBe(
      'no-credentials: the access token of the host program is no JWT',
    );
    expect(await start({ tokens, apiKey: 'sk-key' })).toBe(
      'invalid-argument: apiKey and tokens do not go together; give one of them',
    );
    expect(await readFile(join(workspace.home, 'auth.json'), 'utf8')).toBe(stored);
    expect(await readdir(workspace.home)).toEqual(['auth.json']);
  });
});

test('a key of the run that is not allowed is refused by its name, and the stored login stays [AUTH-130]', async () => {
  await using workspace = await createWorkspace();
  await using simulator = await Simulator.start({ oauth: {} });
  const file = join(workspace.home, 'auth.json');
  const stored = '{"auth_mode":"apikey","OPENAI_API_KEY":"sk-stored-key"}';
  await writeFile(file, stored);
  const start = (options: Parameters<typeof quireOf>[2]): Promise<string> =>
    problemOf(
      quireOf(workspace, simulator, { ...options, configOverrides: ['forced_login_method=chatgpt'] }).startThread({
        workingDirectory: workspace.repository,
      }),
    );
  const why = 'no-credentials: forced_login_method allows only ChatGPT logins, not API keys;';
  expect(await start({ variables: { CODEX_API_KEY: 'sk-of-this-run' } })).toBe(
    `${why} check CODEX_API_KEY, or leave it away`,
  );
  expect(await start({ apiKey: 'sk-of-this-run' })).toBe(`${why} check apiKey, or leave it away`);
  expect(await readFile(file, 'utf8')).toBe(stored);
  expect(await start({})).toBe(`${why} the stored login was removed`);
  expect(await readdir(workspace.home)).toEqual([]);
});

test('a run with CODEX_ACCESS_TOKEN asks whose it is and then uses it [AGENT-81]', async () => {
  await using workspace = await createWorkspace();
  await using simulator = await Simulator.start({ oauth: { guardsModels: true }, steps: [respond(text('One.'))] });
  const token = simulator.oauth.issueAccessToken();
  const quire = quireOf(workspace, simulator, {
    variables: { CODEX_ACCESS_TOKEN: token, CODEX_AUTHAPI_BASE_URL: `${simulator.issuer}/api/accounts` },
  });
  await using thread = await quire.startThread({ workingDirectory: workspace.repository });
  await thread.run(`mine is ${token}`);
  const [request] = simulator.requests;
  expect([request?.headers['authorization'], request?.headers['chatgpt-account-id']]).toEqual([
    `Bearer ${token}`,
    ACCOUNT,
  ]);
  expect(await contentsOf(workspace.home)).not.toContain(token);
});
