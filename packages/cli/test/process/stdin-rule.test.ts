import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildScriptedExec, type Ended, Program } from '../support/program.ts';

let built: Awaited<ReturnType<typeof buildScriptedExec>>;
beforeAll(async () => {
  built = await buildScriptedExec();
});
afterAll(() => built[Symbol.asyncDispose]());

const COMPOSED = 'do it\n\n<stdin>\nline one\n</stdin>\n';
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

/** Runs with a regular file as stdin. */
async function withFile(content: string | Uint8Array, argv: readonly string[]): Promise<Ended> {
  const path = join(built.folder, `stdin-${Math.random()}`);
  await writeFile(path, content);
  const file = await open(path);
  try {
    return await new Program(built.path, { argv, stdin: file.fd }).ended;
  } finally {
    await file.close();
    await rm(path);
  }
}

describe('without a prompt argument', () => {
  for (const argv of [[], ['-']]) {
    test(`the whole stdin is the prompt (${argv.length === 0 ? 'no argument' : 'a dash'}) [EXEC-20]`, async () => {
      const program = new Program(built.path, { argv, stdin: 'pipe' });
      program.child.stdin?.write('first ');
      program.child.stdin?.end('sécond');
      expect(await program.ended).toMatchObject({ code: 0, stdout: 'first sécond\n' });
    });
  }

  test('a prompt may be a regular file [EXEC-20]', async () => {
    expect(await withFile('from a file', [])).toMatchObject({ code: 0, stdout: 'from a file\n' });
  });

  test('a quiet pipe is announced after a second and then read to its end [EXEC-21]', async () => {
    const program = new Program(built.path, { argv: [], stdin: 'pipe' });
    await program.saw('Reading the prompt from stdin; end it with Ctrl-D');
    program.child.stdin?.end('late');
    expect(await program.ended).toMatchObject({ code: 0, stdout: 'late\n' });
  });

  for (const [name, stdin] of [
    ['/dev/null', 'ignore'],
    ['an empty pipe', 'pipe'],
  ] as const) {
    test(`${name} is an empty prompt and ends with exit code 1 [EXEC-22]`, async () => {
      const program = new Program(built.path, { argv: ['--json'], stdin });
      program.child.stdin?.end();
      expect(await program.ended).toEqual({
        code: 1,
        signal: null,
        stdout: '',
        stderr: 'quire: the prompt is empty; pass it as an argument or on stdin\n',
      });
    });
  }
});

describe('in a shell', () => {
  /** In a line: waits until standard error said so. */
  const UNTIL_WAITING = 'until [ -e "$SAID.waiting" ]; do sleep 0.05; done';
  const UNTIL_OVER = 'until [ -e "$SAID.over" ]; do sleep 0.05; done';
  const shell = (line: string): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const said = join(built.folder, `said-${Math.random()}`);
      const child = spawn('sh', ['-c', line, 'sh', process.execPath, built.path], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], SILENCE_MS: '600', SAID: said },
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
        if (stderr.includes('quire: waiting for')) writeFileSync(`${said}.waiting`, '');
        if (stderr.includes('quire: code')) writeFileSync(`${said}.over`, '');
      });
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
  const WAITING = 'quire: waiting for the end of stdin, which NAME (process PID) can still write to\n';
  const noticesOf = (stderr: string): string =>
    stderr
      .split('\n')
      .filter((line) => line.startsWith('quire: '))
      .map((line) => `${line.replace(/(sh|sleep) \(process \d+/, 'NAME (process PID')}\n`)
      .join('');

  test('a closed stdin is not read beside a prompt argument [EXEC-23]', async () => {
    expect(await shell('"$1" "$2" "do it" <&-')).toMatchObject({ code: 0, stdout: 'do it\n' });
  });

  test('a pipe between two programs is added to the prompt [EXEC-24]', async () => {
    expect(await shell('printf "line one\\n" | "$1" "$2" "do it"')).toMatchObject({ code: 0, stdout: COMPOSED });
  });

  test.runIf(process.platform === 'linux').each([
    ['before its first byte', `{ ${UNTIL_WAITING}; echo line one; }`],
    ['between two bytes', `{ printf line; ${UNTIL_WAITING}; echo " one"; }`],
  ])(
    'a program at the other end of the pipe may be silent %s, and a line says so [EXEC-29]',
    async (_title, producer) => {
      const ended = await shell(`${producer} | "$1" "$2" "do it"`);
      expect({ ...ended, stderr: noticesOf(ended.stderr) }).toEqual({ code: 0, stdout: COMPOSED, stderr: WAITING });
    },
  );

  test.runIf(process.platform === 'linux')(
    'a parent that keeps the pipe open is waited for a second [EXEC-25]',
    async () => {
      const pipe = join(built.folder, 'kept-open');
      const ended = await shell(`mkfifo "${pipe}"; exec 3<>"${pipe}"; "$1" "$2" --json "do it" <"${pipe}"`);
      expect({ code: ended.code, notices: noticesOf(ended.stderr) }).toEqual({
        code: 0,
        notices: 'quire: stdin was open but silent and is ignored; to read the prompt from it pass - as the prompt\n',
      });
    },
  );

  test.runIf(process.platform === 'linux').each([
    ['one that reads what we print', '| cat'],
    ['one behind that', '2>&1 | cat | cat >&2'],
  ])('of those who keep the pipe open, %s is not waited for [EXEC-101]', async (_title, behind) => {
    const pipe = join(built.folder, `kept-open-${behind.length}`);
    const ended = await shell(`mkfifo "${pipe}"; (exec 7<>"${pipe}"; "$1" "$2" --json "do it" <&7 ${behind})`);
    expect(noticesOf(ended.stderr)).toBe(
      'quire: stdin was open but silent and is ignored; to read the prompt from it pass - as the prompt\n',
    );
  });

  test.runIf(process.platform === 'linux')(
    'a producer is waited for though one that reads what we print keeps the pipe open [EXEC-29] [EXEC-101]',
    async () => {
      const pipe = join(built.folder, 'kept-open-and-written');
      const ended = await shell(
        `mkfifo "${pipe}"; { ${UNTIL_WAITING}; echo line one; } >"${pipe}" & (exec 7<>"${pipe}"; "$1" "$2" --json "do it" <&7 | cat)`,
      );
      expect(noticesOf(ended.stderr)).toContain(WAITING);
    },
  );

  test.runIf(process.platform === 'linux')(
    'a producer that ends while a parent keeps the pipe open is waited for no longer [EXEC-29]',
    async () => {
      const pipe = join(built.folder, 'kept-open-too');
      const ended = await shell(
        `mkfifo "${pipe}"; exec 3<>"${pipe}"; { ${UNTIL_WAITING}; } >"${pipe}" 3>&- & "$1" "$2" --json "do it" <"${pipe}"`,
      );
      expect({ code: ended.code, notices: noticesOf(ended.stderr) }).toEqual({
        code: 0,
        notices: `${WAITING}quire: stdin was open but silent and is ignored; to read the prompt from it pass - as the prompt\n`,
      });
    },
  );

  test.runIf(process.platform === 'linux')('a deadline bounds the wait for a producer [EXEC-34]', async () => {
    const run = '{ "$1" "$2" --json --deadline 4 "do it"; echo "quire: code $?" >&2; }';
    const ended = await shell(`{ ${UNTIL_OVER}; } | ${run}`);
    expect(noticesOf(ended.stderr)).toBe(`${WAITING}quire: stopped: the deadline of 4 s has passed\nquire: code 1\n`);
  });

  test.runIf(process.platform === 'linux').each([
    ['the place it is started in', 'cd "$d" && "$1" "$2" "do it"'],
    ['a place given with -C', '"$1" "$2" -C "$d" "do it"'],
  ])('a working directory whose name is no UTF-8 is refused: %s [EXEC-49]', async (_title, line) => {
    const ended = await shell(`d="$(printf '${built.folder}/bad-\\377')"; mkdir -p "$d"; ${line}`);
    expect(ended).toEqual({
      code: 1,
      stdout: '',
      stderr: `quire: the name of the working directory ${built.folder}/bad-\uFFFD is not valid UTF-8; rename it, or choose another directory with -C\n`,
    });
  });

  test('after 2>&1 the final message is shown once [EXEC-51]', async () => {
    const { stdout } = await shell('"$1" "$2" "do it" 2>&1');
    expect(stdout.split('\n').slice(-4)).toEqual(['› do it', '', '• do it', '']);
  });
});

describe('with a prompt argument', () => {
  test('/dev/null is not read [EXEC-23]', async () => {
    const program = new Program(built.path, { argv: ['do it'], stdin: 'ignore' });
    expect(await program.ended).toMatchObject({ code: 0, stdout: 'do it\n' });
  });

  test('piped text is added to it [EXEC-24]', async () => {
    const program = new Program(built.path, { argv: ['do it'], stdin: 'pipe' });
    program.child.stdin?.end('line one\n');
    expect(await program.ended).toMatchObject({ code: 0, stdout: COMPOSED });
  });

  test('a regular file is added to it [EXEC-24]', async () => {
    expect(await withFile('line one', ['do it'])).toMatchObject({ code: 0, stdout: COMPOSED });
  });

  test('an empty pipe adds nothing [EXEC-24]', async () => {
    const program = new Program(built.path, { argv: ['do it'], stdin: 'pipe' });
    program.child.stdin?.end();
    expect(await program.ended).toMatchObject({ code: 0, stdout: 'do it\n' });
  });

  test('piped text is added to it when it came while the process itself could not look [EXEC-24]', async () => {
    const free = join(built.folder, 'free');
    const program = new Program(built.path, { argv: ['do it'], stdin: 'pipe', env: { BUSY_UNTIL: free } });
    await program.saw('busy');
    await new Promise((resolve) => program.child.stdin?.end('line one\n', () => resolve(undefined)));
    await writeFile(free, '');
    const ended = await program.ended;
    expect(ended).toMatchObject({ code: 0, stdout: COMPOSED });
    expect(ended.stderr).not.toContain('silent');
  });

  test('a pipe that stays open and silent is ignored and keeps nothing alive [EXEC-25]', async () => {
    const program = new Program(built.path, { argv: ['--json', 'do it'], stdin: 'pipe' });
    const ended = await program.ended;
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({
      code: 0,
      stderr: 'quire: stdin was open but silent and is ignored; to read the prompt from it pass - as the prompt\n',
    });
  });

  test('input that stops halfway is not sent [EXEC-26]', async () => {
    const program = new Program(built.path, { argv: ['--json', 'do it'], stdin: 'pipe', env: { SILENCE_MS: '100' } });
    program.child.stdin?.write('half');
    expect(await program.ended).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr:
        'quire: stdin went silent for 0.1 s after 4 bytes without ending; nothing was sent. Close it when the input is complete\n',
    });
  });

  test('bytes that are no UTF-8 are refused [EXEC-27]', async () => {
    const ended = await withFile(Uint8Array.of(0x61, 0xc3, 0xa9, 0xff, 0x62), ['--json', 'do it']);
    expect(ended).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: 'quire: stdin is not valid UTF-8 (byte 3); convert it first, for example with iconv\n',
    });
  });

  test('more than 64 MiB are refused [EXEC-28]', async () => {
    const ended = await withFile(Buffer.alloc(64 * 1024 * 1024 + 1, 'a'), ['--json', 'do it']);
    expect(ended).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: 'quire: stdin holds more than 64 MiB; pass the path of a file in the prompt instead\n',
    });
  });

  test('a deadline also covers a stdin that never ends [EXEC-34]', async () => {
    const program = new Program(built.path, { argv: ['--json', '--deadline', '0.3', '-'], stdin: 'pipe' });
    const ended = await program.ended;
    expect({ code: ended.code, line: lastLine(ended.stderr), stdout: ended.stdout }).toEqual({
      code: 1,
      line: 'quire: stopped: the deadline of 0.3 s has passed',
      stdout: '',
    });
  });
});
