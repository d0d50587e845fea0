import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { customToolCall, functionCall, type Output, rawItem } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { createWorkspace } from '../workspace.ts';
import { openToolScene, type SceneOptions, type ToolScene } from './tool-scene.ts';

const GIVEN = {
  AWS_REGION: 'here',
  DATABASE_URL: 'db',
  MY_KEY: 'a-key',
  my_secret: 'hush',
  LANG: 'C',
  USER: 'me',
  CODEX_API_KEY: 'own-1',
  CODEX_ACCESS_TOKEN: 'own-2',
  PROVIDER_KEY: 'own-3',
} as const;

const WATCHED: readonly string[] = [...Object.keys(GIVEN), 'ADDED', 'FROM_PROFILE', 'STARTUP_KEY'];
const ENV = '/usr/bin/env';

/** Of the watched variables those that the output of `env` names. */
function variablesOf(output: string | undefined): Readonly<Record<string, string>> {
  const lines = (output ?? '').split(/\r?\n|\\n|"/).map((line) => /^(\w+)=(.*)$/.exec(line));
  const found = lines.flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const]));
  return Object.fromEntries(found.filter(([name]) => WATCHED.includes(name)));
}

const policy = (text: string): SceneOptions => ({
  toml: `[shell_environment_policy]\n${text}\n`,
  environment: GIVEN,
});

async function variables(
  scene: ToolScene,
  call: Output = functionCall('it', 'shell_command', { command: ENV, login: false }),
): Promise<Readonly<Record<string, string>>> {
  return variablesOf((await scene.play([() => [call]])).outputOf('it'));
}

async function underPolicy(text: string): Promise<Readonly<Record<string, string>>> {
  await using scene = await openToolScene(policy(text));
  return await variables(scene);
}

const { CODEX_API_KEY: _key, CODEX_ACCESS_TOKEN: _token, ...INHERITED } = GIVEN;
const { MY_KEY: _myKey, my_secret: _mySecret, PROVIDER_KEY: _providerKey, ...HARMLESS } = INHERITED;

describe('the parts of the policy', () => {
  test('without one commands get everything but the keys of the run [CMD-74]', async () => {
    expect(await underPolicy('')).toEqual(INHERITED);
  });

  test('core is what programs need to find themselves [CMD-74]', async () => {
    expect(await underPolicy('inherit = "core"')).toEqual({ LANG: 'C', USER: 'me' });
  });

  test('with nothing inherited there is what is set [CMD-74]', async () => {
    expect(await underPolicy('inherit = "none"\nset = { ADDED = "1" }')).toEqual({ ADDED: '1' });
  });

  test('what sounds like a credential goes when it is asked for [CMD-75]', async () => {
    expect(await underPolicy('ignore_default_excludes = false')).toEqual(HARMLESS);
    expect(await underPolicy('ignore_default_excludes = true')).toEqual(INHERITED);
  });

  test('what is excluded goes, whatever its case [CMD-75]', async () => {
    const { AWS_REGION: _region, my_secret: _secret, ...others } = INHERITED;
    expect(await underPolicy('exclude = ["aws_*", "MY?SECRET"]')).toEqual(others);
  });

  test('what is set is there although it is excluded, and only what is included stays [CMD-76]', async () => {
    expect(await underPolicy('exclude = ["*"]\nset = { ADDED = "1", MY_KEY = "mine" }')).toEqual({
      ADDED: '1',
      MY_KEY: 'mine',
    });
    expect(await underPolicy('include_only = ["a*", "user"]\nset = { ADDED = "1", MY_KEY = "mine" }')).toEqual({
      ADDED: '1',
      AWS_REGION: 'here',
      USER: 'me',
    });
  });

  test('the keys of the run are hidden unless they are set [CMD-77]', async () => {
    expect(await underPolicy('inherit = "all"\ninclude_only = ["CODEX_A*"]')).toEqual({});
    expect(await underPolicy('inherit = "none"\nset = { CODEX_API_KEY = "for commands" }')).toEqual({
      CODEX_API_KEY: 'for commands',
    });
  });
});

describe('where the policy holds', () => {
  const POLICY = 'inherit = "core"\nset = { ADDED = "1" }';
  // `exec_command` has a language of its own.
  const EXPECTED = { ADDED: '1', USER: 'me' };
  const calls: readonly (readonly [name: string, call: Output])[] = [
    ['shell', functionCall('it', 'shell', { command: [ENV] })],
    ['container.exec', functionCall('it', 'container.exec', { command: [ENV] })],
    [
      'local_shell',
      rawItem({
        type: 'local_shell_call',
        call_id: 'it',
        status: 'completed',
        action: { type: 'exec', command: [ENV], env: {} },
      }),
    ],
    ['shell_command', functionCall('it', 'shell_command', { command: ENV, login: false })],
    ['shell_command in a login shell', functionCall('it', 'shell_command', { command: ENV })],
    ['exec_command', functionCall('it', 'exec_command', { cmd: ENV, login: false })],
    ['exec_command in a login shell', functionCall('it', 'exec_command', { cmd: ENV })],
    ['exec_command on a terminal', functionCall('it', 'exec_command', { cmd: ENV, login: false, tty: true })],
    [
      'js_repl',
      customToolCall(
        'it',
        'js_repl',
        `console.log(Object.entries(process.env).map((pair) => pair.join('=')).join(String.fromCharCode(10)));`,
      ),
    ],
  ];
  test.each(calls)('in %s [CMD-78]', async (_name, call) => {
    await using scene = await openToolScene(policy(POLICY));
    const { LANG: _lang, ...found } = await variables(scene, call);
    expect(found).toEqual(EXPECTED);
  });

  test('in js_repl, whose program no variable for commands chooses [CMD-81]', async () => {
    await using scene = await openToolScene(
      policy('set = { CODEX_JS_REPL_NODE_PATH = "/no/such/node", PATH = "/no" }'),
    );
    const call = customToolCall('it', 'js_repl', 'console.log(process.env.PATH)');
    expect((await scene.play([() => [call]])).outputOf('it')).toBe('/no');
  });

  test('in the sandbox [CMD-78]', async () => {
    await using scene = await openToolScene({
      ...policy('inherit = "none"\nset = { ADDED = "1" }'),
      sandboxMode: 'workspace-write',
    });
    expect(await variables(scene)).toEqual({ ADDED: '1' });
  });

  test('in what a person runs [CMD-78]', async () => {
    await using scene = await openToolScene(policy(POLICY));
    const { LANG: _lang, ...found } = variablesOf((await scene.thread.runShell(ENV)).output);
    expect(found).toEqual(EXPECTED);
  });

  test('in what is run as a thread would [CMD-78]', async () => {
    await using scene = await openToolScene({ environment: GIVEN });
    await using workspace = await createWorkspace();
    const quire = workspace.quire(scene.simulator, {
      environment: { PATH: process.env['PATH'], HOME: workspace.home, ...GIVEN },
      configOverrides: ['shell_environment_policy.inherit=core', 'shell_environment_policy.set.ADDED="1"'],
    });
    for (const sandboxMode of ['danger-full-access', 'workspace-write'] as const) {
      const command = await quire.sandboxCommand([ENV], { workingDirectory: workspace.repository, sandboxMode });
      if (command.kind === 'unavailable') throw new Error(command.reason);
      const { path, args, extraFds, release } =
        command.kind === 'ready' ? command : { path: ENV, args: [], extraFds: [], release: () => undefined };
      const stdio = ['ignore', 'pipe', 'inherit', ...extraFds] as const;
      const { stdout } = spawnSync(path, args, { env: command.environment, stdio: [...stdio], encoding: 'utf8' });
      release();
      expect(variablesOf(stdout)).toEqual({ ADDED: '1', LANG: 'C', USER: 'me' });
    }
  });

  test('not in hooks, which are programs of the user [CMD-79]', async () => {
    await using workspace = await createWorkspace();
    const file = join(workspace.home, 'hook-environment');
    await using scene = await openToolScene({
      toml: `[shell_environment_policy]\ninherit = "none"\n[[hooks.PreToolUse]]\n[[hooks.PreToolUse.hooks]]\ncommand = "env > ${file}"\n`,
      environment: GIVEN,
    });
    expect(await variables(scene)).toEqual({});
    expect(variablesOf(readFileSync(file, 'utf8'))).toEqual(INHERITED);
  });

  test.each(['trusted', 'untrusted'])('in a project that is %s and has one [CFG-111]', async (trust) => {
    await using workspace = await createWorkspace();
    const { home, repository } = workspace;
    await mkdir(join(repository, '.codex'));
    await writeFile(join(repository, '.codex', 'config.toml'), '[shell_environment_policy]\nset = { ADDED = "1" }\n');
    await using scene = await openToolScene({
      toml: `[projects.${JSON.stringify(repository)}]\ntrust_level = "${trust}"\n`,
      environment: { ...GIVEN, OTHER_HOME: home },
      thread: { workingDirectory: repository },
    });
    expect(await variables(scene)).toEqual(trust === 'trusted' ? { ...INHERITED, ADDED: '1' } : INHERITED);
  });
});

describe('what startup files export', () => {
  const login = functionCall('it', 'shell_command', { command: `${ENV}; shout` });
  // What has attributes as well is handed on by other means.
  const STARTUP = `declare -rx STARTUP_KEY=2; declare -ix FROM_PROFILE=1
export AWS_REGION=there CODEX_API_KEY=startup
shout() { echo "shouted by $BASH_ENV."; }
`;

  async function withStartup(text: string): Promise<readonly [Readonly<Record<string, string>>, string]> {
    await using workspace = await createWorkspace();
    await writeFile(join(workspace.home, '.bash_profile'), STARTUP);
    await using scene = await openToolScene({
      ...policy(text),
      environment: { ...GIVEN, HOME: workspace.home },
    });
    const output = (await scene.play([() => [login]])).outputOf('it') ?? '';
    return [variablesOf(output), /shouted by .*$/m.exec(output)?.[0] ?? 'no function'];
  }

  test('is there without a policy, but for the keys of the run [CMD-80]', async () => {
    const [found, shouted] = await withStartup('');
    expect(found).toEqual({ ...INHERITED, AWS_REGION: 'there', FROM_PROFILE: '1', STARTUP_KEY: '2' });
    expect(shouted).toBe('shouted by .');
  });

  test('passes the policy as everything does, and functions stay [CMD-80]', async () => {
    const [found, shouted] = await withStartup('inherit = "core"');
    expect(found).toEqual({ LANG: 'C', USER: 'me' });
    expect(shouted).toBe('shouted by .');
    expect((await withStartup('ignore_default_excludes = false\nset = { AWS_REGION = "set" }'))[0]).toEqual({
      ...HARMLESS,
      AWS_REGION: 'set',
      FROM_PROFILE: '1',
    });
  });
});

describe('where login shells are switched off', () => {
  const toml = 'allow_login_shell = false\n';

  test('commands of the model get a plain shell, and startup files are not run [CMD-70]', async () => {
    await using workspace = await createWorkspace();
    const trace = join(workspace.home, 'started');
    await writeFile(join(workspace.home, '.bash_profile'), `echo started >> ${trace}\nexport FROM_PROFILE=1\n`);
    await using scene = await openToolScene({ toml, environment: { HOME: workspace.home } });
    expect(await variables(scene, functionCall('it', 'shell_command', { command: ENV }))).toEqual({});
    const refused = await scene.play([() => [functionCall('no', 'shell_command', { command: ENV, login: true })]]);
    expect(refused.outputOf('no')).toBe(
      '`login` can not be true: login shells are switched off in the configuration (`allow_login_shell`); leave it out',
    );
    expect(() => readFileSync(trace)).toThrow('ENOENT');
    // What a person types is theirs. Source: observed, peer 0.169.
    expect(variablesOf((await scene.thread.runShell(ENV)).output)).toEqual({ FROM_PROFILE: '1' });
  });
});

test('the longest look at a session is the one of the settings [CMD-72]', async () => {
  await using scene = await openToolScene({ toml: 'background_terminal_max_timeout = 1\n' });
  const { outputOf } = await scene.play([
    () => [functionCall('open', 'exec_command', { cmd: 'sleep 60', login: false, yield_time_ms: 250 })],
    ({ toolOutputs }) => {
      const session = /session ID (\d+)/.exec(String(toolOutputs.at(-1)?.output))?.[1];
      return [functionCall('look', 'write_stdin', { session_id: Number(session), yield_time_ms: 60_000 })];
    },
  ]);
  const seconds = /Wall time: (\S+) seconds\nProcess running/.exec(outputOf('look') ?? '')?.[1];
  expect(Number(seconds)).toBeGreaterThan(4.9);
  expect(Number(seconds)).toBeLessThan(30);
}, 40_000);
