import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createWorkspaceFiles } from '@quire/host';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_LINE_BYTES } from '../../src/files/read-lines.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const never = new AbortController().signal;
const files = createWorkspaceFiles();

async function linesOf(path: string, options: { readonly firstLine?: number; readonly limit?: number } = {}) {
  const { limit = Number.POSITIVE_INFINITY, ...rest } = options;
  const lines: string[] = [];
  const answer = await files.readLines(path, {
    ...rest,
    signal: never,
    onLine: (line) => lines.push(line) < limit,
  });
  return { answer, lines };
}

describe('lines of a file', () => {
  test.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\n\nb', ['a', '', 'b']],
    ['\n', ['']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['a\rb\n', ['a\rb']],
    ['\r\r\n', ['\r']],
  ])('%j is %j [FILE-10]', async (content, expected) => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'file');
    await writeFile(path, content);
    expect(await linesOf(path)).toEqual({ answer: { kind: 'ok', value: expected.length }, lines: expected });
  });

  test('are the same wherever chunks end, and from whatever line on [FILE-10]', async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'file');
    const line = fc.tuple(fc.constantFrom('x', 'ö', '日', ''), fc.integer({ min: 0, max: 30_000 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 14 }),
        async (shape, firstLine) => {
          const expected = shape.map(([text, count]) => text.repeat(Math.floor(count / 3)));
          await writeFile(path, `${expected.join('\n')}\n`);
          const { lines } = await linesOf(path, { firstLine });
          expect(lines).toEqual(expected.slice(firstLine - 1));
        },
      ),
      { numRuns: 30 },
    );
  });

  test('that are no UTF-8 have their bad bytes replaced [FILE-11]', async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'file');
    await writeFile(path, Buffer.from('caf\xe9 \xff\n\0binary\n', 'latin1'));
    expect((await linesOf(path)).lines).toEqual(['caf\ufffd \ufffd', '\0binary']);
  });

  test('of any length take no more memory than their beginning [FILE-12]', async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'file');
    await writeFile(path, `${'ö'.repeat(3_000_000)}\nend\n`);
    const { lines } = await linesOf(path);
    expect(lines.map((line) => line.length)).toEqual([MAX_LINE_BYTES / 2, 3]);
    await writeFile(path, `x${'ö'.repeat(3_000_000)}`);
    expect((await linesOf(path)).lines.map((line) => line.at(-1))).toEqual(['ö']);
  });

  test.skipIf(!existsSync('/proc/self/io'))(
    'of a file of 2 GiB are there without reading the rest [FILE-12]',
    async () => {
      await using folder = await temporaryDirectory();
      const path = join(folder.path, 'file');
      await writeFile(path, 'one\ntwo\nthree\n');
      await truncate(path, 2 * 1024 ** 3);
      const before = bytesRead();
      const { lines } = await linesOf(path, { limit: 2 });
      expect({ lines, isLittle: bytesRead() - before < 100 * 1024 ** 2 }).toEqual({
        lines: ['one', 'two'],
        isLittle: true,
      });
    },
  );

  test('are read through links and from /proc [FILE-13]', async () => {
    await using folder = await temporaryDirectory();
    await writeFile(join(folder.path, 'file'), 'text\n');
    await symlink('file', join(folder.path, 'link'));
    expect((await linesOf(join(folder.path, 'link'))).lines).toEqual(['text']);
    expect((await linesOf('/proc/self/status')).lines[0]).toMatch(/^Name:/);
  });

  test('are refused for what is no file, without waiting for it [FILE-14]', async () => {
    await using folder = await temporaryDirectory();
    const at = (name: string): string => join(folder.path, name);
    await mkdir(at('folder'));
    spawnSync('mkfifo', [at('pipe')]);
    await symlink('loop', at('loop'));
    const answers = await Promise.all(
      ['folder', 'pipe', 'loop', 'missing'].map(async (name) => (await linesOf(at(name))).answer),
    );
    const refusals = [...answers, (await linesOf('/dev/zero')).answer];
    expect(refusals).toEqual([
      { kind: 'failed', reason: `\`${at('folder')}\` is a directory; list_dir shows what is in it` },
      { kind: 'failed', reason: `\`${at('pipe')}\` is not a regular file, so it is not read` },
      { kind: 'failed', reason: `unable to read \`${at('loop')}\`: ELOOP: too many symbolic links encountered` },
      { kind: 'failed', reason: `unable to read \`${at('missing')}\`: ENOENT: no such file or directory` },
      { kind: 'failed', reason: '`/dev/zero` is not a regular file, so it is not read' },
    ]);
  });

  test('stop coming when nobody wants them any more [FILE-15]', async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'file');
    await writeFile(path, 'line\n'.repeat(500_000));
    const reason = new Error('stop');
    const abort = new AbortController();
    let count = 0;
    const reading = files.readLines(path, {
      signal: abort.signal,
      onLine: () => {
        count += 1;
        if (count === 10) abort.abort(reason);
        return true;
      },
    });
    await expect(reading).rejects.toBe(reason);
    expect(count).toBeLessThan(100_000);
    await expect(linesAborted(path, reason)).rejects.toBe(reason);
  });
});

function linesAborted(path: string, reason: Error): Promise<unknown> {
  return files.readLines(path, { signal: AbortSignal.abort(reason), onLine: () => true });
}

/** By this process, whatever it was; of a file of 2 GiB the difference is plain. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}
