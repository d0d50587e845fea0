import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkspaceFiles } from '@quire/host';
import { describe, expect, test } from 'vitest';
import { findRipgrep } from '../../../src/files/search/ripgrep.ts';
import { searchFiles } from '../../../src/files/search/search-files.ts';
import { put } from '../../support/git-repository.ts';
import { eventually, processesWith, uniqueSeconds } from '../../support/processes.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const never = new AbortController().signal;
const SYSTEM_PATH = process.env['PATH'] ?? '';
const BACKENDS = [
  ['ripgrep', SYSTEM_PATH],
  ['the built-in search', ''],
] as const;

function search(
  root: string,
  parts: {
    readonly path?: string;
    readonly pattern?: string;
    readonly include?: string;
    readonly limit?: number;
    readonly signal?: AbortSignal;
    readonly environment?: Readonly<Record<string, string | undefined>>;
  },
): ReturnType<ReturnType<typeof createWorkspaceFiles>['search']> {
  const { pattern = 'needle', include, path = root, limit = 100, signal = never, environment = {} } = parts;
  const files = createWorkspaceFiles({ environment });
  return files.search({ pattern, include, path, cwd: root, limit }, { signal });
}

describe.each(BACKENDS)('with %s', (name, PATH) => {
  const isMissing = name === 'ripgrep' && findRipgrep(PATH) === undefined;

  test.skipIf(isMissing)('the last changed come first, and no more than asked for [FILE-34]', async () => {
    await using folder = await temporaryDirectory();
    const ages = { 'z/oldest': 1_000, 'a/newest': 9_000, 'm/second': 8_000, 'b/same': 5_000, 'a/same': 5_000 };
    for (const [file, seconds] of Object.entries(ages)) {
      put(folder.path, file, 'needle\n');
      utimesSync(join(folder.path, file), seconds, seconds);
    }
    put(folder.path, 'other', 'hay\n');
    const environment = { PATH };
    const at = (file: string): string => join(folder.path, file);
    const order = ['a/newest', 'm/second', 'a/same', 'b/same', 'z/oldest'].map(at);
    expect(await search(folder.path, { environment })).toEqual({ kind: 'ok', value: order });
    expect(await search(folder.path, { environment, limit: 2 })).toEqual({ kind: 'ok', value: order.slice(0, 2) });
    expect(await search(folder.path, { environment, pattern: 'nothing' })).toEqual({ kind: 'ok', value: [] });
    expect(await search(folder.path, { environment, pattern: '-e' })).toEqual({ kind: 'ok', value: [] });
  });

  test.skipIf(isMissing)('what can not be searched is refused without waiting [FILE-35]', async () => {
    await using folder = await temporaryDirectory();
    const pipe = join(folder.path, 'pipe');
    spawnSync('mkfifo', [pipe]);
    const environment = { PATH };
    const missing = join(folder.path, 'missing');
    expect([
      await search(folder.path, { environment, path: missing }),
      await search(folder.path, { environment, path: pipe }),
      await search(folder.path, { environment, pattern: 'a\0b' }),
    ]).toEqual([
      { kind: 'failed', reason: `unable to access \`${missing}\`: ENOENT: no such file or directory` },
      { kind: 'failed', reason: `unable to access \`${pipe}\`: neither a file nor a directory` },
      { kind: 'failed', reason: '`pattern` and `include` can not hold a NUL character' },
    ]);
  });

  test.skipIf(isMissing)('names with newlines, spaces and no UTF-8 do no harm [FILE-36]', async () => {
    await using folder = await temporaryDirectory();
    put(folder.path, 'two\nlines', 'needle\n');
    put(folder.path, ' spaces ', 'needle\n');
    utimesSync(join(folder.path, ' spaces '), 1, 1);
    const odd = Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.of(0xff, 0xfe)]);
    writeFileSync(odd, 'hay\n');
    expect(await search(folder.path, { environment: { PATH } })).toEqual({
      kind: 'ok',
      value: [join(folder.path, 'two\nlines'), join(folder.path, ' spaces ')],
    });
  });

  test.skipIf(isMissing)('an aborted search rejects with the reason [FILE-37]', async () => {
    await using folder = await temporaryDirectory();
    for (let index = 0; index < 500; index += 1) put(folder.path, `d${index % 50}/f${index}`, 'needle\n');
    const abort = new AbortController();
    const searching = search(folder.path, { environment: { PATH }, signal: abort.signal });
    const reason = new Error('stop');
    abort.abort(reason);
    await expect(searching).rejects.toBe(reason);
  });
});

describe('ripgrep', () => {
  test('is taken from absolute places of the search path only [FILE-38]', async () => {
    await using folder = await temporaryDirectory();
    put(folder.path, 'bin/rg', '#!/bin/sh\n', /* mode */ 0o755);
    put(folder.path, 'plain/rg', '#!/bin/sh\n', /* mode */ 0o644);
    const [bin, plain] = [join(folder.path, 'bin'), join(folder.path, 'plain')];
    const found = [`.:bin::${plain}:${bin}`, '.:bin', '', undefined].map(findRipgrep);
    expect(found).toEqual([join(bin, 'rg'), undefined, undefined, undefined]);
  });

  test.skipIf(findRipgrep(SYSTEM_PATH) === undefined)('takes nothing from a configuration file [FILE-38]', async () => {
    await using folder = await temporaryDirectory();
    put(folder.path, 'config', `--pre=${join(folder.path, 'evil')}\n--invert-match\n--max-filesize=1\n`);
    put(folder.path, 'evil', `#!/bin/sh\ntouch ${join(folder.path, 'ran')}\n`, /* mode */ 0o755);
    put(folder.path, 'project/file', 'needle\n');
    const environment = { PATH: SYSTEM_PATH, RIPGREP_CONFIG_PATH: join(folder.path, 'config') };
    const answer = await search(join(folder.path, 'project'), { environment });
    expect({ answer, ran: existsSync(join(folder.path, 'ran')) }).toEqual({
      answer: { kind: 'ok', value: [join(folder.path, 'project/file')] },
      ran: false,
    });
  });

  test('is asked so that the pattern is never an option, in the working directory [FILE-39]', async () => {
    await using folder = await temporaryDirectory();
    const script = '#!/bin/sh\n{ pwd; printf "%s\\n" "$@"; } > "$LOG"\nexit 1\n';
    put(folder.path, 'bin/rg', script, /* mode */ 0o755);
    const log = join(folder.path, 'log');
    const environment = { PATH: `${join(folder.path, 'bin')}:${SYSTEM_PATH}`, LOG: log };
    const answer = await search(folder.path, { environment, pattern: '--files', include: '-x' });
    expect({ answer, asked: readFileSync(log, 'utf8').split('\n') }).toEqual({
      answer: { kind: 'ok', value: [] },
      asked: [
        folder.path,
        '--no-config',
        '--files-with-matches',
        '--no-messages',
        '--color=never',
        '--null',
        '--glob=-x',
        '--regexp=--files',
        '--',
        folder.path,
        '',
      ],
    });
  });

  test.each([
    ['exit 2', 'ok', undefined],
    ['echo "bad pattern" >&2; exit 2', 'failed', 'rg failed: bad pattern'],
    ['exit 3', 'failed', 'rg failed: exit code 3'],
    ['yes complaint | head -c 1000000 >&2; exit 2', 'failed', `rg failed: ${'complaint\n'.repeat(400)}`.trim()],
  ])('that ends with "%s" is %s [FILE-40]', async (script, kind, reason) => {
    await using folder = await temporaryDirectory();
    put(folder.path, 'bin/rg', `#!/bin/sh\n${script}\n`, /* mode */ 0o755);
    const environment = { PATH: `${join(folder.path, 'bin')}:${SYSTEM_PATH}` };
    const expected = kind === 'ok' ? { kind, value: [] } : { kind, reason };
    expect(await search(folder.path, { environment })).toEqual(expected);
  });

  test.skipIf(findRipgrep(SYSTEM_PATH) === undefined)('finds files whose names are no UTF-8 [FILE-36]', async () => {
    await using folder = await temporaryDirectory();
    writeFileSync(Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.of(0xff)]), 'needle\n');
    const answer = await search(folder.path, { environment: { PATH: SYSTEM_PATH } });
    expect(answer).toEqual({ kind: 'ok', value: [join(folder.path, '\ufffd')] });
  });

  test('that can not be started is replaced by the built-in search [FILE-41]', async () => {
    await using folder = await temporaryDirectory();
    put(folder.path, 'bin/rg', '#!/nowhere/interpreter\n', /* mode */ 0o755);
    put(folder.path, 'project/file', 'needle\n');
    const answer = await search(join(folder.path, 'project'), { environment: { PATH: join(folder.path, 'bin') } });
    expect(answer).toEqual({ kind: 'ok', value: [join(folder.path, 'project/file')] });
  });

  test.skipIf(findRipgrep(SYSTEM_PATH) === undefined)(
    'that can not be told so long a pattern is replaced by the built-in search [FILE-41]',
    async () => {
      await using folder = await temporaryDirectory();
      put(folder.path, 'file', `${'needle'.repeat(50_000)}\n`);
      const answer = await search(folder.path, {
        pattern: 'needle'.repeat(50_000),
        environment: { PATH: SYSTEM_PATH },
      });
      expect(answer).toEqual({ kind: 'ok', value: [join(folder.path, 'file')] });
    },
  );

  test('is killed with all it started when the search is aborted [FILE-37]', async () => {
    await using folder = await temporaryDirectory();
    const seconds = uniqueSeconds();
    put(folder.path, 'bin/rg', `#!/bin/sh\nsleep ${seconds} &\nsleep ${seconds}\n`, /* mode */ 0o755);
    const abort = new AbortController();
    const environment = { PATH: `${join(folder.path, 'bin')}:${SYSTEM_PATH}` };
    const searching = search(folder.path, { environment, signal: abort.signal });
    const settled = searching.catch((error: unknown) => error);
    await expect(eventually(() => processesWith(seconds).length === 2, { withinMs: 10_000 })).resolves.toBe(true);
    const reason = new Error('stop');
    abort.abort(reason);
    expect(await settled).toBe(reason);
    await expect(eventually(() => processesWith(seconds).length === 0, { withinMs: 10_000 })).resolves.toBe(true);
  });
});

describe('the built-in search', () => {
  test('leaves the event loop free for a pattern that backtracks for ever, and ends it [FILE-42]', async () => {
    await using folder = await temporaryDirectory();
    put(folder.path, 'file', `${'a'.repeat(60)}!\n`);
    const abort = new AbortController();
    const searching = search(folder.path, {
      pattern: '(a+)+$',
      environment: { PATH: '' },
      signal: abort.signal,
    }).catch((error: unknown) => error);
    let ticks = 0;
    const reason = new Error('stop');
    const timer = setInterval(() => {
      ticks += 1;
      if (ticks === 20) abort.abort(reason);
    }, 10);
    expect(await searching).toBe(reason);
    clearInterval(timer);
    expect(ticks).toBe(20);
  });

  test.each([
    ['the built-in search', '', '(a+)+$'],
    ['ripgrep', 'bin', 'needle'],
  ])('ends when its time is over: %s [FILE-43]', async (_name, PATH, pattern) => {
    await using folder = await temporaryDirectory();
    put(folder.path, 'project/file', `${'a'.repeat(60)}!\n`);
    put(folder.path, 'bin/rg', '#!/bin/sh\nexec sleep 1000\n', /* mode */ 0o755);
    const environment = { PATH: PATH === '' ? '' : `${join(folder.path, PATH)}:${SYSTEM_PATH}` };
    const path = join(folder.path, 'project');
    const query = { pattern, include: undefined, path, cwd: path, limit: 10 };
    expect(await searchFiles(query, { signal: never, environment, timeoutMs: 100 })).toEqual({
      kind: 'failed',
      reason: 'the search took more than 0.1 seconds; search a smaller directory, or limit it with `include`',
    });
  });

  test('ignores nothing by git outside of a repository [FILE-33]', async () => {
    await using folder = await temporaryDirectory();
    put(folder.path, '.gitignore', 'file\n');
    put(folder.path, 'file', 'needle\n');
    put(folder.path, '.config/git/ignore', 'file\n');
    const environment = { PATH: '', HOME: folder.path };
    const answer = await search(folder.path, { environment });
    expect(answer).toEqual({ kind: 'ok', value: [join(folder.path, 'file')] });
    put(folder.path, '.git/HEAD', '');
    expect(await search(folder.path, { environment })).toEqual({ kind: 'ok', value: [] });
  });

  test("reads the list that git's configuration names [FILE-33]", async () => {
    await using folder = await temporaryDirectory();
    put(folder.path, 'home/.gitconfig', '[core]\n\texcludesFile = ~/list\n');
    put(folder.path, 'home/list', '*.bak\n');
    put(folder.path, 'project/.git/HEAD', '');
    put(folder.path, 'project/a.bak', 'needle\n');
    put(folder.path, 'project/a.txt', 'needle\n');
    const environment = { PATH: '', HOME: join(folder.path, 'home') };
    const answer = await search(join(folder.path, 'project'), { environment });
    expect(answer).toEqual({ kind: 'ok', value: [join(folder.path, 'project/a.txt')] });
  });
});
