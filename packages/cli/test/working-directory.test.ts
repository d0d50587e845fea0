import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BuiltCommand, buildCommand, type Ended } from './support/commands.ts';

let built: BuiltCommand;
beforeAll(async () => {
  built = await buildCommand();
});
afterAll(() => built[Symbol.asyncDispose]());

/** Runs where the folder has been deleted. */
async function runInDeletedFolder(argv: readonly string[]): Promise<Ended & { readonly home: string }> {
  const home = (await built.home()).path;
  const folder = await mkdtemp(join(built.folder, 'deleted-'));
  const program = join(built.folder, 'bin/quire.mjs');
  const script = 'rmdir "$PWD" && exec "$@"';
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, program, ...argv], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: home, CODEX_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  const [code] = await once(child, 'close');
  return { code: Number(code), stdout: await stdout, stderr: await stderr, home };
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

describe.runIf(process.platform !== 'win32')('in a folder that has been deleted', () => {
  const WITH_OPTION = 'quire: the working directory no longer exists; choose another one with -C\n';
  const WITHOUT_OPTION = 'quire: the working directory no longer exists; change to another one\n';

  test.each([
    [['exec', 'hi'], WITH_OPTION],
    [['config', 'list'], WITH_OPTION],
    [['config', 'list', '-C', 'below'], WITH_OPTION],
    [['doctor', '--offline'], WITH_OPTION],
    [['thread', 'list'], WITH_OPTION],
    [['mcp', 'list'], WITHOUT_OPTION],
    [['features', 'list'], WITHOUT_OPTION],
  ])('%j says so in one line [CLI-32]', async (argv, stderr) => {
    expect(await runInDeletedFolder(argv)).toMatchObject({ code: 1, stdout: '', stderr });
  });

  test('what needs no folder works [CLI-32]', async () => {
    const nobody = 'Nobody is logged in; quire login does that.\n';
    expect(await runInDeletedFolder(['login', 'status'])).toMatchObject({ code: 1, stdout: '', stderr: nobody });
    expect((await runInDeletedFolder(['status', '--offline'])).stderr).not.toContain('cwd');
    const path = await runInDeletedFolder(['config', 'path']);
    expect(path).toMatchObject({ code: 0, stdout: `${path.home}/config.toml\n`, stderr: '' });
    expect(await runInDeletedFolder(['config', 'list', '-C', path.home])).toMatchObject({ code: 0 });
    const answer = '{"matchedRules":[]}\n';
    expect(await runInDeletedFolder(['execpolicy', 'check', 'ls'])).toMatchObject({ code: 0, stdout: answer });
  });
});
