// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell scripts
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCommandRunner } from '@quire/host';
import { expect, test } from 'vitest';
import { startRunner } from '../support/runner.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MEBIBYTE = 1024 * 1024;

test('a command ends with its exit code, standard output before standard error [HOST-01]', async () => {
  await using test = startRunner();
  const outcome = await test.run('echo first >&2; echo second; exit 3');
  expect(outcome).toEqual({
    end: { kind: 'exited', exitCode: 3 },
    output: 'second\nfirst\n',
    durationMs: expect.any(Number),
  });
  expect(outcome.durationMs).toBeGreaterThan(0);
});

test('a shell that dies of a signal is reported with the name of the signal [HOST-02]', async () => {
  await using test = startRunner();
  expect((await test.run('kill -TERM $$')).end).toEqual({ kind: 'signalled', signal: 'SIGTERM' });
});

test('a command sees its directory, the inherited environment and the thread id [HOST-03]', async () => {
  await using folder = await temporaryDirectory();
  await using test = startRunner({ environment: { PATH: '/usr/bin:/bin', COLOR: 'blue', ABSENT: undefined } });
  const outcome = await test.run('pwd; echo "$COLOR ${ABSENT-none} $CODEX_THREAD_ID"', { cwd: folder.path });
  expect(outcome.output).toBe(`${folder.path}\nblue none thread-1\n`);
});

test('a command that reads standard input finds its end at once [HOST-04]', async () => {
  await using test = startRunner();
  expect((await test.run('cat; echo "read $?"')).output).toBe('read 0\n');
});

test('bytes that are not UTF-8 become replacement characters, NUL stays [HOST-06]', async () => {
  await using test = startRunner();
  expect((await test.run(String.raw`printf 'a\377b\000c'`)).output).toBe('a\uFFFDb\0c');
});

test('live output is whole characters, however the bytes arrive [HOST-07]', async () => {
  await using test = startRunner();
  const chunks: string[] = [];
  const script = String.raw`for byte in '\303' '\274' '\342' '\202' '\254' '\377' '\303'; do printf "$byte"; sleep 0.02; done`;
  const outcome = await test.run(script, { onOutput: (chunk) => chunks.push(chunk) });
  expect({ live: chunks.join(''), output: outcome.output }).toEqual({
    live: 'ü€\uFFFD\uFFFD',
    output: 'ü€\uFFFD\uFFFD',
  });
  expect(chunks.slice(0, 2)).toEqual(['ü', '€']);
});

test('one stream is kept up to one MiB, its head [HOST-09]', async () => {
  await using test = startRunner();
  const { output } = await test.run('printf head; head -c 3000000 /dev/zero | tr "\\0" x; printf tail');
  expect(output).toBe(`head${'x'.repeat(MEBIBYTE - 4)}`);
});

test('a character that the cap would cut is left out [HOST-09]', async () => {
  await using test = startRunner();
  const { output } = await test.run(`printf x; yes € | head -n 400000 | tr -d '\\n'`);
  expect(output).toBe(`x${'€'.repeat(Math.floor((MEBIBYTE - 1) / 3))}`);
});

test('when both streams are over the cap standard error gets two thirds [HOST-10]', async () => {
  await using test = startRunner();
  const { output } = await test.run(
    'head -c 2000000 /dev/zero | tr "\\0" o; head -c 2000000 /dev/zero | tr "\\0" e >&2',
  );
  const third = Math.floor(MEBIBYTE / 3);
  expect(output).toBe('o'.repeat(third) + 'e'.repeat(MEBIBYTE - third));
});

test('short standard error is kept whole beside long standard output [HOST-10]', async () => {
  await using test = startRunner();
  const { output } = await test.run('head -c 2000000 /dev/zero | tr "\\0" o; printf failure >&2');
  expect(output).toBe(`${'o'.repeat(MEBIBYTE - 7)}failure`);
});

test('a missing working directory, or a file in its place, starts nothing and says so [HOST-11]', async () => {
  await using folder = await temporaryDirectory();
  await using test = startRunner();
  const file = join(folder.path, 'file');
  await writeFile(file, '');
  const missing = join(folder.path, 'missing');
  expect([(await test.run('true', { cwd: missing })).end, (await test.run('true', { cwd: file })).end]).toEqual([
    {
      kind: 'not-started',
      reason: `the working directory ${missing} can not be used (ENOENT: no such file or directory)`,
    },
    { kind: 'not-started', reason: `the working directory ${file} is not a directory` },
  ]);
});

test('a missing shell, a NUL and a script beyond the limit of the system start nothing [HOST-11]', async () => {
  await using test = startRunner();
  await using other = startRunner({ shell: { name: 'bash', path: '/missing/bash' } });
  const ends = [await other.run('true'), await test.run('echo \0'), await test.run(`: ${'x'.repeat(4 * MEBIBYTE)}`)];
  expect(ends.map(({ end }) => end)).toEqual([
    { kind: 'not-started', reason: 'the shell /missing/bash could not be started (spawn /missing/bash ENOENT)' },
    { kind: 'not-started', reason: 'the command contains a NUL character, which no shell takes' },
    {
      kind: 'not-started',
      reason: 'the command is longer than the system allows; put the long part into a file and run that',
    },
  ]);
  expect((await test.run('echo fine')).output).toBe('fine\n');
});

test('the shell is the one of the user when it is a known one that can be run [HOST-12]', async () => {
  await using folder = await temporaryDirectory();
  const fake = join(folder.path, 'zsh');
  await writeFile(fake, '#!/bin/sh\necho "$0 $*"\n', { mode: 0o755 });
  await mkdir(join(folder.path, 'bash'));
  const shellFor = (SHELL: string | undefined) =>
    createCommandRunner({ threadId: 'thread-1', environment: { SHELL, PATH: '/usr/bin:/bin' } }).shell;
  const shells = [fake, '/usr/bin/fish', join(folder.path, 'bash'), 'bash', undefined].map(shellFor);
  expect(shells).toEqual([
    { name: 'zsh', path: fake },
    ...Array.from({ length: 4 }, () => ({ name: 'bash', path: '/bin/bash' })),
  ]);
  await using zsh = startRunner({ shell: { name: 'zsh', path: fake } });
  const command = { script: 'pwd', login: true, cwd: '/', timeoutMs: 1 };
  expect(zsh.runner.argv(command)).toEqual([fake, '-lc', 'pwd']);
  expect((await zsh.run('pwd', { login: true })).output).toBe(`${fake} -lc pwd\n`);
  expect((await zsh.run('pwd')).output).toBe(`${fake} -c pwd\n`);
});
