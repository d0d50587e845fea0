import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BuiltCommand, buildCommand, type Ended } from './support/commands.ts';

let built: BuiltCommand;
beforeAll(async () => {
  built = await buildCommand();
});
afterAll(() => built[Symbol.asyncDispose]());

const READ_ONLY = 'mount --bind "$CODEX_HOME" "$CODEX_HOME" && mount -o remount,ro,bind "$CODEX_HOME"';
const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', READ_ONLY], {
  env: { PATH: process.env['PATH'], CODEX_HOME: import.meta.dirname },
}).status;

describe.runIf(canMount === 0)('in a home folder on a read-only file system', () => {
  async function run(home: string, argv: readonly string[]): Promise<Ended> {
    const program = join(built.folder, 'bin/quire.mjs');
    const work = join(built.folder, 'work');
    await mkdir(work, { recursive: true });
    const script = `${READ_ONLY} && exec "$@"`;
    const child = spawn('unshare', ['-rm', 'sh', '-c', script, 'sh', process.execPath, program, ...argv], {
      cwd: work,
      env: { PATH: process.env['PATH'], HOME: work, CODEX_HOME: home, CODEX_API_KEY: 'k' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
    const [code] = await once(child, 'close');
    return { code: Number(code), stdout: await stdout, stderr: await stderr };
  }

  test('a run says so, and not that its record does not exist [STORE-36]', async () => {
    const { path } = await built.home();
    const { code, stdout, stderr } = await run(path, ['exec', '--skip-git-repo-check', 'hi']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/rollout-[^ ]+\.jsonl can not be written: the file system is read-only/);
  });

  test('doctor says so once, with a remedy that fits [DOCTOR-15]', async () => {
    const { path } = await built.home();
    const { stdout } = await run(path, ['doctor', '--json', '--offline']);
    const { checks } = JSON.parse(stdout) as { readonly checks: readonly { readonly id: string }[] };
    expect(checks.find(({ id }) => id === 'disk')).toEqual({
      id: 'disk',
      verdict: 'failed',
      summary: `${path} can not be written to: the file system is read-only`,
      details: [`the home folder is ${path}`, expect.stringContaining(' free'), expect.stringContaining('recorded')],
      remedy: 'have its file system mounted for writing, or set QUIRE_HOME to another folder',
    });
  });
});

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
