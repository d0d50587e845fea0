import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Quire, type QuireOptions } from '@quire/agent';
import { respond, Simulator, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { createWorkspace, type Workspace } from './workspace.ts';

function quireIn(
  { home }: Workspace,
  options: QuireOptions,
  environment: Readonly<Record<string, string>> = {},
): Quire {
  return new Quire({ home, environment: { PATH: process.env['PATH'], HOME: home, ...environment }, ...options });
}

/** A port of this machine where nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'none',
    (error: unknown) => (error instanceof Error && 'code' in error ? `${error.code}: ${error.message}` : String(error)),
  );
}

describe('a program that chooses for its run', () => {
  test('a profile gets what it sets, over the file and under overrides and its own options [AGENT-70]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [] });
    await writeFile(
      join(workspace.home, 'config.toml'),
      `model = "of-the-file"\nmodel_provider = "p"\nmodel_providers.p = { name = "P", base_url = "${simulator.url}" }\n`,
    );
    await writeFile(join(workspace.home, 'work.config.toml'), 'model = "of-the-profile"\n');
    const modelWith = async (options: QuireOptions, model?: string): Promise<string> => {
      await using thread = await quireIn(workspace, options).startThread({
        workingDirectory: workspace.repository,
        ...(model === undefined ? {} : { model }),
      });
      return thread.facts.model;
    };
    const configOverrides = ['model=of-the-override'];
    expect(await modelWith({})).toBe('of-the-file');
    expect(await modelWith({ profile: 'work' })).toBe('of-the-profile');
    expect(await modelWith({ profile: 'work', configOverrides })).toBe('of-the-override');
    expect(await modelWith({ profile: 'work', configOverrides }, 'of-the-option')).toBe('of-the-option');
    expect(await problemOf(modelWith({ profile: 'none' }))).toMatch(
      /^configuration: --profile: there is no profile "none"; make .*none\.config\.toml$/,
    );
    expect(await problemOf(modelWith({ profile: 'work', ignoreUserConfig: true }))).toBe(
      'invalid-argument: the profile "work" belongs to the user\'s configuration, which is to be ignored; leave --profile or --ignore-user-config away',
    );
  });

  test('features have them over every override, and a feature that nobody knows is refused [AGENT-71]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [respond(text('One.')), respond(text('Two.'))] });
    const tools = async (features: Readonly<Record<string, boolean>>): Promise<boolean> => {
      const overrides = [
        `model_providers.test={name="Test",base_url="${simulator.url}"}`,
        'model_provider=test',
        'model=gpt-5.2-codex',
        'features.shell_tool=true',
      ];
      await using thread = await quireIn(workspace, { configOverrides: overrides, features }).startThread({
        workingDirectory: workspace.repository,
      });
      await thread.run('hi');
      return JSON.stringify(simulator.requests.at(-1)?.body['tools']).includes('shell_command');
    };
    expect([await tools({}), await tools({ shell_tool: false })]).toEqual([true, false]);
    expect(await problemOf(tools({ shel_tool: true }))).toBe(
      'configuration: --enable: there is no feature "shel_tool"; did you mean shell_tool?',
    );
    expect(simulator.requests.length).toBe(2);
  });
});

describe('a server of open models on this machine', () => {
  test('is asked for its usual model, whatever the file says, unless one is named for the run [AGENT-72]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [respond(text('One.')), respond(text('Two.'))] });
    await writeFile(join(workspace.home, 'config.toml'), 'model = "gpt-5"\noss_provider = "lmstudio"\n');
    const run = async (options: QuireOptions): Promise<readonly unknown[]> => {
      const quire = quireIn(workspace, options, { CODEX_OSS_BASE_URL: simulator.url });
      await using thread = await quire.startThread({ workingDirectory: workspace.repository });
      await thread.run('hi');
      const request = simulator.requests.at(-1);
      return [thread.facts.providerId, request?.body['model'], request?.headers['authorization']];
    };
    expect(await run({ oss: true })).toEqual(['lmstudio', 'openai/gpt-oss-20b', undefined]);
    expect(await run({ oss: 'ollama', configOverrides: ['model=qwen3'] })).toEqual(['ollama', 'qwen3', undefined]);
  });

  test('that does not answer is told before anything is written, with its place and what to do [AGENT-73]', async () => {
    await using workspace = await createWorkspace();
    const port = await closedPort();
    const quire = quireIn(workspace, { oss: 'ollama' }, { CODEX_OSS_PORT: String(port) });
    expect(await problemOf(quire.startThread({ workingDirectory: workspace.repository }))).toBe(
      `no-local-server: Ollama does not answer at localhost:${port}: start it with \`ollama serve\`, or say where it is with CODEX_OSS_BASE_URL or CODEX_OSS_PORT`,
    );
    expect(await quire.listThreads()).toEqual([]);
    expect(
      await problemOf(quireIn(workspace, { oss: true }).startThread({ workingDirectory: workspace.repository })),
    ).toBe(
      'configuration: --oss does not say which server: set oss_provider to ollama or lmstudio, or give --local-provider',
    );
  });
});
