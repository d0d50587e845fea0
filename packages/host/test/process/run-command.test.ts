// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell scripts
import { writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCommandRunner } from '@quire/host';
import { expect, test } from 'vitest';
import { startRunner } from '../support/runner.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MEBIBYTE = 1024 * 1024;
const HALF = MEBIBYTE / 2;

test('a command ends with its exit code, standard output before standard error [HOST-01]', async () => {
  await using test = startRunner();
  const outcome = await test.run('echo first >&2; echo second; exit 3');
  expect(outcome).toEqual({
    end: { kind: 'exited', exitCode: 3 },
    output: 'second\nfirst\n',
    omittedBytes: 0,
    totalLines: 2,
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
  await using folder = await temporaryDirectory();
  await using test = startRunner();
  const chunks: string[] = [];
  // A character is printed byte by byte, and what follows it when the one before was heard.
  const script = String.raw`bytes() { for byte; do printf "$byte"; sleep 0.02; done; }
    heard() { until [ -e "$1" ]; do sleep 0.02; done; }
    bytes '\303' '\274'; heard 1; bytes '\342' '\202' '\254'; heard 2; bytes '\377' '\303'`;
  const onOutput = (chunk: string): void => writeFileSync(join(folder.path, String(chunks.push(chunk))), '');
  const outcome = await test.run(script, { cwd: folder.path, onOutput });
  expect({ live: chunks.join(''), output: outcome.output }).toEqual({
    live: 'ü€\uFFFD\uFFFD',
    output: 'ü€\uFFFD\uFFFD',
  });
  expect(chunks.slice(0, 2)).toEqual(['ü', '€']);
});

test('of long output the beginning and the end are kept, one MiB together [HOST-09]', async () => {
  await using test = startRunner();
  const outcome = await test.run('echo first; head -c 3000000 /dev/zero | tr "\\0" x; echo; echo last');
  const omittedBytes = 3_000_012 - MEBIBYTE;
  expect(outcome).toEqual({
    end: { kind: 'exited', exitCode: 0 },
    output: `first\n${'x'.repeat(HALF - 6)}\n…[${omittedBytes} bytes left out here]…\n${'x'.repeat(HALF - 6)}\nlast\n`,
    omittedBytes,
    totalLines: 3,
    durationMs: expect.any(Number),
  });
});

test('when both streams are over the cap standard error gets two thirds [HOST-10]', async () => {
  await using test = startRunner();
  const { output, omittedBytes, totalLines } = await test.run(
    'head -c 2000000 /dev/zero | tr "\\0" o; head -c 2000000 /dev/zero | tr "\\0" e >&2',
  );
  const third = Math.floor(MEBIBYTE / 3);
  const rest = MEBIBYTE - third;
  const [half, restHalf] = [Math.floor(third / 2), Math.floor(rest / 2)];
  expect({ output, omittedBytes, totalLines }).toEqual({
    output:
      `${'o'.repeat(half)}\n…[${2_000_000 - third} bytes left out here]…\n${'o'.repeat(third - half)}` +
      `${'e'.repeat(restHalf)}\n…[${2_000_000 - rest} bytes left out here]…\n${'e'.repeat(rest - restHalf)}`,
    omittedBytes: 4_000_000 - MEBIBYTE,
    totalLines: 1,
  });
});

test('short standard error is kept whole beside long standard output [HOST-10]', async () => {
  await using test = startRunner();
  const { output } = await test.run('head -c 2000000 /dev/zero | tr "\\0" o; printf failure >&2');
  const kept = MEBIBYTE - 7;
  const half = Math.floor(kept / 2);
  expect(output).toBe(
    `${'o'.repeat(half)}\n…[${2_000_000 - kept} bytes left out here]…\n${'o'.repeat(kept - half)}failure`,
  );
});

test('a time limit longer than the system knows is as good as none [HOST-29]', async () => {
  await using test = startRunner();
  const outcomes = [2 ** 31, 1e300, Number.POSITIVE_INFINITY].map((timeoutMs) =>
    test.run('sleep 0.05; echo done', { timeoutMs, login: true }),
  );
  expect((await Promise.all(outcomes)).map(({ end, output }) => ({ end, output }))).toEqual(
    outcomes.map(() => ({ end: { kind: 'exited', exitCode: 0 }, output: 'done\n' })),
  );
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
    { kind: 'not-started', reason: 'the program /missing/bash could not be started (there is no such program)' },
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
  const command = { script: 'pwd', login: true, cwd: '/', confinement: { kind: 'none' }, timeoutMs: 1 } as const;
  expect(zsh.runner.argv(command)).toEqual([fake, '-lc', 'pwd']);
  expect((await zsh.run('pwd', { login: true })).output).toBe(`${fake} -lc pwd\n`);
  expect((await zsh.run('pwd')).output).toBe(`${fake} -c pwd\n`);
});
