import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Credentials } from '@quire/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { RequestCompressor } from '../src/request/compression.ts';
import { loadZstd, wasmCompressor } from '../src/request/zstd.ts';
import { answer, CREATED, completed, connect, options, recordingClock, run, serve } from './support.ts';

interface Wasm {
  decompress(body: Uint8Array): Uint8Array;
}
const wasm = createRequire(import.meta.url)('@bokuweb/zstd-wasm') as Wasm;
// The package may be started only once in a process.
beforeAll(async () => {
  await wasmCompressor();
});
const text = (body: Uint8Array): string => Buffer.from(wasm.decompress(body)).toString();

const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const CHATGPT: Credentials = {
  kind: 'chatgpt',
  accessToken: 'token-of-the-test',
  accountId: 'account-1',
} as Credentials;
const API_KEY: Credentials = { kind: 'api-key', token: 'key-of-the-test' };

/** A compressor for the provider `name` that has a `zstd` of its own, and what it reported. */
function compressor(name: string, load?: () => Promise<(body: Buffer) => Promise<Buffer>>) {
  const reports: object[] = [];
  const { provider, clock } = options('http://h', { with: { name } });
  const observer = {
    requestCompressed: (sizes: object) => reports.push(sizes),
    compressionUnavailable: (problem: object) => reports.push(problem),
  };
  const parts = { provider, clock, observer, ...(load === undefined ? {} : { load }) };
  return { subject: new RequestCompressor(parts), reports };
}

const request = { headers: { 'content-type': 'application/json' }, body: Buffer.from('{"a":1}'.repeat(500)) };

describe('compression', () => {
  test('a body is one zstd frame, told by its header, with sizes and duration reported [COMPRESS-01]', async () => {
    const { subject, reports } = compressor('OpenAI');
    const { headers, body } = await subject.apply(request, CHATGPT);
    expect(headers).toEqual({ 'content-type': 'application/json', 'content-encoding': 'zstd' });
    expect(body.subarray(0, 4)).toEqual(ZSTD_MAGIC);
    expect(text(body)).toBe(request.body.toString());
    const sizes = { preCompressionBytes: request.body.length, postCompressionBytes: body.length };
    expect(reports).toEqual([{ ...sizes, durationMs: expect.any(Number) }]);
    expect(body.length).toBeLessThan(request.body.length / 10);
  });

  test.each<[string, string, Credentials]>([
    ['another provider', 'Test', CHATGPT],
    ['a name in other letters', 'openai', CHATGPT],
    ['an API key', 'OpenAI', API_KEY],
    ['no credentials', 'OpenAI', { kind: 'none' }],
  ])('%s is sent uncompressed, and nothing is loaded [COMPRESS-02]', async (_title, name, credentials) => {
    const load = () => Promise.reject(new Error('must not be loaded'));
    const { subject, reports } = compressor(name, load);
    expect(await subject.apply(request, credentials)).toBe(request);
    expect(reports).toEqual([]);
  });

  test('a body that has an encoding is not encoded again [COMPRESS-02]', async () => {
    const encoded = { ...request, headers: { 'content-encoding': 'gzip' } };
    expect(await compressor('OpenAI').subject.apply(encoded, CHATGPT)).toBe(encoded);
  });

  test('without any zstd requests go out as they are, and the observer is told once [COMPRESS-03]', async () => {
    const { subject, reports } = compressor('OpenAI', () => Promise.reject(new Error("Cannot find module 'x'\nstack")));
    for (let count = 0; count < 2; count += 1) expect(await subject.apply(request, CHATGPT)).toBe(request);
    const message = `request compression is off: this Node has no zstd (${process.version}; 22.15 has) and the package @bokuweb/zstd-wasm can not be used: Cannot find module 'x'`;
    expect(reports).toEqual([{ message }]);
  });

  test('the platform and the package write frames that say the same [COMPRESS-04]', async () => {
    for (const load of [loadZstd, wasmCompressor]) {
      const compress = await load();
      for (const body of [Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(3_000_000, 'quire ')]) {
        const frame = await compress(body);
        expect(frame.subarray(0, 4)).toEqual(ZSTD_MAGIC);
        if (body.length > 0) expect(text(frame) === body.toString()).toBe(true);
      }
    }
  });

  test('it works from a bundle with code splitting [COMPRESS-04]', async () => {
    const { build } = await import('esbuild');
    // Inside the package, for the package is looked for from where the bundle lies.
    const folder = await mkdtemp(join(import.meta.dirname, 'bundle-'));
    try {
      const stdin = {
        contents: `const { wasmCompressor } = await import('../../src/request/zstd.ts');
          const compress = await wasmCompressor();
          process.stdout.write((await compress(Buffer.from('from a bundle'))).toString('base64'));`,
        resolveDir: folder,
      };
      await build({
        stdin,
        outdir: folder,
        bundle: true,
        splitting: true,
        format: 'esm',
        platform: 'node',
        outExtension: { '.js': '.mjs' },
      });
      const frame = execFileSync(process.execPath, [join(folder, 'stdin.mjs')], { encoding: 'utf8' });
      expect(text(Buffer.from(frame, 'base64'))).toBe('from a bundle');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test.each([
  [true, 'zstd'],
  [false, undefined],
])(
  'with the feature %j the request of a turn has the encoding %j [COMPRESS-01]',
  async (requestCompression, encoding) => {
    await using server = await serve(answer(CREATED, completed()));
    using client = connect(server.url, {
      requestCompression,
      clock: recordingClock(),
      credentials: { current: () => Promise.resolve(CHATGPT) },
      with: { name: 'OpenAI' },
    });
    await run(client.turn);
    const [received] = server.requests;
    expect([received?.headers['content-encoding'], received?.headers['content-type']]).toEqual([
      encoding,
      'application/json',
    ]);
  },
);
