import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { startApart } from '../../src/process/start-apart.ts';
import { openTerminal } from '../../src/process/terminal.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const environment = { PATH: process.env['PATH'], OWN: 'mine' };

describe('a program apart', () => {
  test('runs in a session of its own, in its folder and with its variables, without input, output and terminals of others [NOTIFY-06]', async () => {
    await using folder = await temporaryDirectory();
    const opening = await openTerminal();
    const script = 'echo "$1 $OWN $(pwd) $$ $(ps -o sid= -p $$)"; readlink /proc/self/fd/0 /proc/$$/fd/* > all';
    const argv = ['/bin/sh', '-c', `{ ${script}; } > said; mv said done`, 'sh', 'one two'];
    expect(startApart({ argv, cwd: folder.path, environment })).toBe(true);
    await vi.waitUntil(() => existsSync(join(folder.path, 'done')), { timeout: 30_000 });
    if (opening.kind === 'open') opening.terminal.master.destroy();
    const [, ...found] = /^(.*) mine (.*) (\d+) +(\d+)\n$/.exec(readFileSync(join(folder.path, 'done'), 'utf8')) ?? [];
    expect(found).toEqual(['one two', folder.path, found[2], found[2]]);
    const open = readFileSync(join(folder.path, 'all'), 'utf8').trim().split('\n');
    expect(open.filter((path) => /^\/dev\/(pt|tty)/.test(path))).toEqual([]);
  });

  test.each([
    ['a program that is not there', ['/no/such/program']],
    ['an argument that is too long', ['/bin/true', 'x'.repeat(200_000)]],
    ['no program', []],
  ])('that can not be started is told by the answer, and by nothing else: %s [NOTIFY-05]', (_title, argv) => {
    expect(startApart({ argv, cwd: '/', environment })).toBe(false);
  });

  test('is not started in a folder that is gone [NOTIFY-05]', () => {
    expect(startApart({ argv: ['/bin/true'], cwd: '/no/such/folder', environment })).toBe(false);
  });
});
