import fs from 'node:fs';
import path from 'node:path';
import type { CachedCatalog } from '@quire/core';
import { describe, expect, test } from 'vitest';
import { createCatalogCache } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const FETCHED_AT = '2026-02-01T10:00:00.000Z';
const ENTRY: CachedCatalog = {
  fetchedAtMs: Date.parse(FETCHED_AT),
  etag: '"e1"',
  clientVersion: '1.2.3',
  identity: 'abc',
  models: [{ slug: 'm', later_field: [1] }],
};
const FILE = `{
  "fetched_at": "${FETCHED_AT}",
  "etag": "\\"e1\\"",
  "client_version": "1.2.3",
  "quire_identity": "abc",
  "models": [
    {
      "slug": "m",
      "later_field": [
        1
      ]
    }
  ]
}`;

const fileIn = (home: string) => path.join(home, 'models_cache.json');

describe('the list of models in a home folder', () => {
  test('is written whole, readable by its owner only, and read back [MODEL-20]', async () => {
    using folder = temporaryFolder();
    const home = path.join(folder.path, 'not', 'there');
    const cache = createCatalogCache({ home });
    const before = await cache.read();
    await cache.write(ENTRY);

    expect([before, await cache.read()]).toEqual([{ kind: 'none' }, { kind: 'entry', entry: ENTRY }]);
    expect([fs.readFileSync(fileIn(home), 'utf8'), fs.readdirSync(home)]).toEqual([FILE, ['models_cache.json']]);
    expect(fs.statSync(fileIn(home)).mode & 0o777).toBe(0o600);
  });

  test('without etag, version or identity is read as such [MODEL-20]', async () => {
    using folder = temporaryFolder();
    const other = { fetched_at: '2026-02-01T10:00:00Z', identity: 'of another program', etag: null, models: [] };
    fs.writeFileSync(fileIn(folder.path), JSON.stringify(other));

    expect(await createCatalogCache({ home: folder.path }).read()).toEqual({
      kind: 'entry',
      entry: {
        fetchedAtMs: ENTRY.fetchedAtMs,
        etag: undefined,
        clientVersion: undefined,
        identity: undefined,
        models: [],
      },
    });
  });

  test.each([
    ['empty', ''],
    ['torn', FILE.slice(0, 100)],
    ['something else', '[1]'],
    ['without a time', '{"models": []}'],
    ['with a time that is none', '{"fetched_at": "yesterday", "models": []}'],
    ['without a list', `{"fetched_at": "${FETCHED_AT}", "models": {}}`],
  ])('that is %s is unreadable and replaced by the next one [MODEL-20]', async (_what, content) => {
    using folder = temporaryFolder();
    const file = fileIn(folder.path);
    fs.writeFileSync(file, content);
    const cache = createCatalogCache({ home: folder.path });

    expect(await cache.read()).toEqual({
      kind: 'unreadable',
      reason: `${file} holds no list of models; the next one replaces it`,
    });
    await cache.write(ENTRY);
    expect(await cache.read()).toEqual({ kind: 'entry', entry: ENTRY });
  });

  test('that is no file at all is unreadable, and a write says so and leaves nothing behind [MODEL-20]', async () => {
    using folder = temporaryFolder();
    const file = fileIn(folder.path);
    fs.mkdirSync(path.join(file, 'x'), { recursive: true });
    const cache = createCatalogCache({ home: folder.path });

    expect(await cache.read()).toEqual({ kind: 'unreadable', reason: `${file} can not be read: it is not a file` });
    await expect(cache.write(ENTRY)).rejects.toThrow(`${file} can not be written: `);
    expect(fs.readdirSync(folder.path)).toEqual(['models_cache.json']);
  });

  test('that is not UTF-8 or too large is not read [MODEL-20]', async () => {
    using folder = temporaryFolder();
    const file = fileIn(folder.path);
    const cache = createCatalogCache({ home: folder.path });
    fs.writeFileSync(file, Buffer.from([0xff, 0xfe]));
    const garbled = await cache.read();
    fs.truncateSync(file, 17 * 1024 * 1024);

    expect([garbled, await cache.read()]).toEqual([
      { kind: 'unreadable', reason: `${file} can not be read: it is not UTF-8 text` },
      { kind: 'unreadable', reason: `${file} can not be read: it is larger than 16777216 bytes` },
    ]);
  });

  test.each([
    { name: 'this one', changes: {}, isRenewed: true },
    { name: 'one with another etag', changes: { etag: '"e2"' }, isRenewed: false },
    { name: 'one of another account', changes: { identity: 'other' }, isRenewed: false },
    { name: 'one of another version', changes: { clientVersion: '9.9.9' }, isRenewed: false },
    { name: 'a later one', changes: { fetchedAtMs: ENTRY.fetchedAtMs + 9_000 }, isRenewed: false },
  ])('that is $name becomes young again: $isRenewed [MODEL-20]', async ({ changes, isRenewed }) => {
    using folder = temporaryFolder();
    const cache = createCatalogCache({ home: folder.path });
    const kept = { ...ENTRY, ...changes };
    await cache.write(kept);
    const fetchedAtMs = ENTRY.fetchedAtMs + 5_000;
    await cache.renew({ etag: '"e1"', identity: 'abc', clientVersion: '1.2.3', fetchedAtMs });

    expect(await cache.read()).toEqual({ kind: 'entry', entry: isRenewed ? { ...kept, fetchedAtMs } : kept });
  });

  test('that is not there is not made young [MODEL-20]', async () => {
    using folder = temporaryFolder();
    await createCatalogCache({ home: folder.path }).renew({
      etag: '"e1"',
      identity: 'abc',
      clientVersion: '1.2.3',
      fetchedAtMs: 1,
    });

    expect(fs.readdirSync(folder.path)).toEqual([]);
  });
});
