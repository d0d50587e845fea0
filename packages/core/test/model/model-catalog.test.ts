import { ModelError } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { BUNDLED_MODELS } from '../../src/model/bundled-models.ts';
import { cacheState } from '../../src/model/cache-freshness.ts';
import { catalogClientVersion } from '../../src/model/client-version.ts';
import type { ModelCatalog, RefreshStrategy } from '../../src/model/model-catalog.ts';
import { modelsOf, wireEntry } from './catalog-entries.ts';
import { CatalogStage, CONFIRMED_AT_MS, listed, settle } from './catalog-fakes.ts';

const signal = new AbortController().signal;
const TTL_MS = 300_000;
const slugs = (catalog: ModelCatalog) => catalog.current().models.map(({ slug }) => slug);
const BUNDLED = BUNDLED_MODELS.map(({ slug }) => slug);
const refresh = (catalog: ModelCatalog, strategy: RefreshStrategy) => catalog.refresh({ strategy, signal });

test.each([
  ['1.2.3', '1.2.3'],
  ['0.104.0-alpha.1', '0.104.0'],
  ['1.2.3+build', '1.2.3'],
  ['0.0.0', '99.99.99'],
  ['0.0.0-dev', '99.99.99'],
  ['1.2', '99.99.99'],
  ['1.2.3.4', '99.99.99'],
  ['', '99.99.99'],
])('the version %s is told as %s [MODEL-09] [CHECK-24]', (version, told) => {
  expect(catalogClientVersion(version)).toBe(told);
});

test.each([
  { ageMs: 0, state: 'fresh' },
  { ageMs: TTL_MS, state: 'fresh' },
  { ageMs: TTL_MS + 1, state: 'stale' },
  { ageMs: -60_000, state: 'fresh' },
  { ageMs: 0, ttlMs: 0, state: 'stale' },
  { ageMs: 0, clientVersion: '1.2.2', state: 'foreign' },
  { ageMs: 0, clientVersion: undefined, state: 'foreign' },
  { ageMs: 0, identity: 'other', state: 'foreign' },
  { ageMs: 0, identity: undefined, state: 'foreign' },
])(
  'a kept list of age $ageMs is $state [MODEL-10] [CHECK-26] [CHECK-27] [TRAP-08]',
  ({ ageMs, ttlMs = TTL_MS, state, ...fields }) => {
    const entry = { clientVersion: '1.2.3', identity: 'me', ...fields, fetchedAtMs: 1_000_000 };

    expect(cacheState(entry, { nowMs: 1_000_000 + ageMs, ttlMs, clientVersion: '1.2.3', identity: 'me' })).toBe(state);
  },
);

describe('a catalog', () => {
  test('is the bundled list until something else is known, and asks nobody by itself [MODEL-11]', async () => {
    const stage = new CatalogStage();
    const catalog = stage.catalog();
    await settle();

    expect([slugs(catalog), catalog.current().origin, stage.reads, stage.asked]).toEqual([BUNDLED, 'bundled', 0, []]);
  });

  test.each<[RefreshStrategy, 'fresh' | 'stale' | 'none', readonly string[], number, object]>([
    ['online', 'fresh', ['remote'], 1, { kind: 'fresh', from: 'provider' }],
    ['offline', 'fresh', ['kept'], 0, { kind: 'fresh', from: 'cache' }],
    ['offline', 'stale', ['kept'], 0, { kind: 'kept' }],
    ['offline', 'none', BUNDLED, 0, { kind: 'kept' }],
    ['online-if-uncached', 'fresh', ['kept'], 0, { kind: 'fresh', from: 'cache' }],
    ['online-if-uncached', 'stale', ['remote'], 1, { kind: 'fresh', from: 'provider' }],
    ['online-if-uncached', 'none', ['remote'], 1, { kind: 'fresh', from: 'provider' }],
  ])(
    '%s with a cache that is %s gives %j after %i requests [MODEL-11]',
    async (strategy, kept, models, asked, outcome) => {
      const stage = new CatalogStage();
      stage.answers = [listed('"new"', wireEntry('remote'))];
      const fetchedAtMs = stage.nowMs - (kept === 'stale' ? TTL_MS + 1 : 0);
      if (kept !== 'none') stage.keep({ models: [wireEntry('kept')], fetchedAtMs });
      const catalog = stage.catalog();

      expect(await refresh(catalog, strategy)).toEqual(outcome);
      expect([slugs(catalog), stage.asked.length]).toEqual([models, asked]);
    },
  );

  test('keeps what was fetched for the next run: as it came, for whom, by which version [MODEL-11] [CHECK-25]', async () => {
    const stage = new CatalogStage();
    stage.answers = [listed('"e1"', wireEntry('remote', { later_field: 1 }))];
    await refresh(stage.catalog(), 'online');

    expect(stage.written).toEqual([
      {
        fetchedAtMs: CONFIRMED_AT_MS,
        etag: '"e1"',
        clientVersion: '1.2.3',
        identity: 'me',
        models: [wireEntry('remote', { later_field: 1 })],
      },
    ]);
  });

  test('without a place to keep it asks again only when its list is no longer fresh [MODEL-11]', async () => {
    const stage = new CatalogStage();
    stage.answers = [listed('"e1"', wireEntry('one')), listed('"e2"', wireEntry('two'))];
    const catalog = stage.catalog({ cache: { ...stage.cache, read: () => Promise.resolve({ kind: 'none' }) } });
    await refresh(catalog, 'online-if-uncached');
    await refresh(catalog, 'online-if-uncached');
    const before = slugs(catalog);
    stage.nowMs += TTL_MS + 1;
    await refresh(catalog, 'online-if-uncached');

    expect([before, slugs(catalog), stage.asked]).toEqual([['one'], ['two'], [undefined, '"e1"']]);
  });

  test('works with a list of its own that is no longer fresh while the provider is asked, with a foreign one never [MODEL-12]', async () => {
    const seen: (readonly string[])[] = [];
    for (const identity of ['me', 'other', undefined]) {
      const stage = new CatalogStage();
      stage.keep({ models: [wireEntry('kept')], fetchedAtMs: 0, identity });
      stage.answers = [new Promise(() => undefined)];
      const catalog = stage.catalog();
      void refresh(catalog, 'online-if-uncached'); // It goes on as long as the provider says nothing.
      await settle();
      seen.push(slugs(catalog));
    }

    expect(seen).toEqual([['kept'], BUNDLED, BUNDLED]);
  });

  test('never goes back to an older list that was kept [MODEL-12]', async () => {
    const stage = new CatalogStage();
    stage.keep({ models: [wireEntry('kept')], fetchedAtMs: 0 });
    stage.writeError = new Error('file: disk full');
    stage.answers = [listed('"e1"', wireEntry('one'))];
    const catalog = stage.catalog();
    await refresh(catalog, 'online');
    stage.nowMs += TTL_MS + 1;

    expect([await refresh(catalog, 'offline'), slugs(catalog)]).toEqual([{ kind: 'kept' }, ['one']]);
  });

  test('of a list that the provider calls unchanged becomes young again [MODEL-13]', async () => {
    const stage = new CatalogStage();
    stage.keep({ models: [wireEntry('kept')], fetchedAtMs: 0 });
    stage.answers = [{ kind: 'unchanged' }];
    const catalog = stage.catalog();
    const outcome = await refresh(catalog, 'online-if-uncached');

    expect([outcome, stage.asked, slugs(catalog)]).toEqual([{ kind: 'fresh', from: 'provider' }, ['"kept"'], ['kept']]);
    expect(stage.written.map(({ fetchedAtMs }) => fetchedAtMs)).toEqual([CONFIRMED_AT_MS]);
  });
});

describe('an etag of a response', () => {
  const opened = async (stage: CatalogStage) => {
    stage.answers.unshift(listed('"e1"', wireEntry('one')));
    const catalog = stage.catalog();
    await refresh(catalog, 'online');
    return catalog;
  };

  test('that is equal makes the list young again, at most once a minute, and asks nothing [MODEL-13] [TRAP-08]', async () => {
    const stage = new CatalogStage();
    const catalog = await opened(stage);
    for (const laterMs of [30_000, 30_000, 30_000]) {
      stage.nowMs += laterMs;
      catalog.noteEtag('"e1"');
      await settle();
    }

    expect(stage.written.map(({ fetchedAtMs }) => fetchedAtMs - CONFIRMED_AT_MS)).toEqual([0, 60_000]);
    expect([stage.asked.length, catalog.current().confirmedAtMs]).toEqual([1, CONFIRMED_AT_MS + 60_000]);
  });

  test('that is another has the list asked for in the background, and listeners are told [MODEL-13]', async () => {
    const stage = new CatalogStage();
    stage.answers = [listed('"e2"', wireEntry('two'))];
    const catalog = await opened(stage);
    const changed = new Promise<readonly string[]>((resolve) => {
      catalog.onChange(({ models }) => resolve(models.map(({ slug }) => slug)));
    });
    catalog.noteEtag('"e2"');
    const atOnce = slugs(catalog);

    expect([atOnce, await changed, stage.asked]).toEqual([['one'], ['two'], [undefined, '"e1"']]);
  });

  test('is not followed again and again when the list never bears it [MODEL-13]', async () => {
    const stage = new CatalogStage();
    stage.answers = [listed('"e1"', wireEntry('one')), new Error('down'), listed('"e3"', wireEntry('three'))];
    const catalog = await opened(stage);
    const note = async (etag: string) => {
      catalog.noteEtag(etag);
      await settle();
    };
    await note('"e2"');
    await note('"e2"');
    await note('"e3"');
    await note('"e3"');
    const before = stage.asked.length;
    stage.nowMs += TTL_MS;
    await note('"e3"');

    expect([before, stage.asked.length, slugs(catalog)]).toEqual([3, 4, ['three']]);
  });

  test('is not kept while a list is being written, but after it [MODEL-13]', async () => {
    const stage = new CatalogStage();
    stage.answers = [listed('"e1"', wireEntry('one'))];
    const calls: string[] = [];
    let written = (): void => undefined;
    const catalog = stage.catalog({
      cache: {
        read: () => Promise.resolve({ kind: 'none' }),
        write: () => {
          calls.push('write');
          return new Promise<void>((resolve) => {
            written = resolve;
          });
        },
        renew: () => {
          calls.push('renew');
          return Promise.resolve();
        },
      },
    });
    const running = refresh(catalog, 'online-if-uncached');
    await settle();
    stage.nowMs += 60_000;
    catalog.noteEtag('"e1"');
    await settle();
    const before = [...calls];
    written();
    await running;
    await settle();

    expect([before, calls]).toEqual([['write'], ['write', 'renew']]);
  });

  test('before anything was loaded is compared with what was kept [MODEL-13]', async () => {
    const stage = new CatalogStage();
    stage.keep({ models: [wireEntry('kept')], fetchedAtMs: 0 });
    const catalog = stage.catalog();
    const loaded = new Promise((resolve) => catalog.onChange(resolve));
    catalog.noteEtag('"kept"');
    await loaded;
    await settle();

    expect([slugs(catalog), stage.asked, stage.written.length]).toEqual([['kept'], [], 1]);
  });
});

describe('without a ChatGPT login', () => {
  test('nobody is asked, and a fresh list that was kept adds to the bundled one [MODEL-14]', async () => {
    const stage = new CatalogStage();
    stage.isChatgpt = false;
    stage.keep({ models: [wireEntry('kept')] });
    const catalog = stage.catalog();
    const outcomes = [await refresh(catalog, 'online'), await refresh(catalog, 'online-if-uncached')];
    catalog.noteEtag('"other"');
    await settle();

    expect([outcomes, stage.asked]).toEqual([[{ kind: 'kept' }, { kind: 'fresh', from: 'cache' }], []]);
    expect(slugs(catalog)).toEqual([...BUNDLED, 'kept']);
  });
});

describe('a refresh that fails', () => {
  test('over an entry that can not be understood says which, once, and nothing else changes [MODEL-15] [TRAP-06]', async () => {
    const stage = new CatalogStage();
    const broken = listed('"e2"', wireEntry('two'), wireEntry('bad', { visibility: 'secret' }));
    stage.answers = [listed('"e1"', wireEntry('one')), broken, broken];
    const catalog = stage.catalog();
    const outcomes = [];
    for (let round = 0; round < 3; round += 1) outcomes.push(await refresh(catalog, 'online'));
    const message =
      'The provider\'s list of models is not used: model bad has visibility = "secret" (expected one of list, hide, none). ' +
      'The models known before stay.';

    expect(outcomes.slice(1)).toEqual([
      { kind: 'failed', message },
      { kind: 'failed', message },
    ]);
    expect([stage.notices, slugs(catalog), stage.written.length, catalog.lastFailure]).toEqual([
      [{ level: 'warning', message }],
      ['one'],
      1,
      message,
    ]);
  });

  test('over the line is an outcome for the log, and forgotten after a success [MODEL-16]', async () => {
    const stage = new CatalogStage();
    const down = new ModelError('dns', 'the host is not known', { retryable: true });
    stage.answers = [down, listed('"e1"', wireEntry('one'))];
    const catalog = stage.catalog();
    const message = 'The list of models could not be brought up to date: the host is not known (dns)';

    expect(await refresh(catalog, 'online')).toEqual({ kind: 'failed', message });
    expect([stage.notices, slugs(catalog), catalog.lastFailure]).toEqual([
      [{ level: 'log', message }],
      BUNDLED,
      message,
    ]);
    await refresh(catalog, 'online');
    expect(catalog.lastFailure).toBeUndefined();
  });

  test('over the credentials is an outcome, too [MODEL-16]', async () => {
    const stage = new CatalogStage();
    const catalog = stage.catalog({ source: { access: () => Promise.reject(new Error('no credentials')) } });

    expect(await refresh(catalog, 'offline')).toEqual({
      kind: 'failed',
      message: 'The list of models could not be brought up to date: no credentials',
    });
  });

  test('over a cache that can not be read or written is for the log, and the list is used [MODEL-16]', async () => {
    const stage = new CatalogStage();
    stage.unreadable = 'file: torn';
    stage.writeError = new Error('file: disk full');
    stage.answers = [listed('"e1"', wireEntry('one'))];
    const catalog = stage.catalog();

    expect(await refresh(catalog, 'online-if-uncached')).toEqual({ kind: 'fresh', from: 'provider' });
    expect([slugs(catalog), stage.notices]).toEqual([
      ['one'],
      [
        { level: 'log', message: 'file: torn' },
        { level: 'log', message: 'file: disk full' },
      ],
    ]);
  });

  test('over a kept list with a broken entry asks the provider [MODEL-16]', async () => {
    const stage = new CatalogStage();
    stage.keep({ models: [7] });
    stage.answers = [listed('"e1"', wireEntry('one'))];
    const catalog = stage.catalog();
    await refresh(catalog, 'online-if-uncached');

    expect([slugs(catalog), stage.notices]).toEqual([
      ['one'],
      [{ level: 'log', message: 'The kept list of models is not used: entry 1 is no object.' }],
    ]);
  });
});

test('with another account nothing of the one before is left [MODEL-17]', async () => {
  const stage = new CatalogStage();
  stage.answers = [listed('"e1"', wireEntry('one')), new Error('down')];
  const catalog = stage.catalog();
  await refresh(catalog, 'online');
  stage.identity = 'other';
  await refresh(catalog, 'online-if-uncached');

  expect([slugs(catalog), catalog.current().etag, stage.asked]).toEqual([BUNDLED, undefined, [undefined, undefined]]);
});

describe('refreshes at the same time', () => {
  test('share one request; one that stops waiting stops no other [MODEL-18]', async () => {
    const stage = new CatalogStage();
    let answer: (list: ReturnType<typeof listed>) => void = () => undefined;
    stage.answers = [
      new Promise((resolve) => {
        answer = resolve;
      }),
    ];
    const catalog = stage.catalog();
    const impatient = new AbortController();
    const first = catalog.refresh({ strategy: 'online', signal: impatient.signal });
    const second = refresh(catalog, 'online');
    await settle();
    impatient.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    answer(listed('"e1"', wireEntry('one')));

    expect([await second, stage.asked.length]).toEqual([{ kind: 'fresh', from: 'provider' }, 1]);
  });

  test('that are being written are waited for when the catalog is closed [MODEL-18]', async () => {
    const stage = new CatalogStage();
    stage.answers = [listed('"e1"', wireEntry('one'))];
    let finish = (): void => undefined;
    const cache = { ...stage.cache, write: () => new Promise<void>((resolve) => (finish = resolve)) };
    const catalog = stage.catalog({ cache });
    const running = refresh(catalog, 'online');
    await settle();
    let isClosed = false;
    const closing = catalog.close().then(() => {
      isClosed = true;
    });
    await settle();
    const before = isClosed;
    finish();
    await Promise.all([closing, running]);

    expect([before, isClosed]).toEqual([false, true]);
  });

  test('end when the catalog is closed, and none begins after that [MODEL-18]', async () => {
    const stage = new CatalogStage();
    const catalog = stage.catalog({
      source: {
        access: async () => ({
          identity: 'me',
          isChatgpt: true,
          fetch: (request) =>
            new Promise((_resolve, reject) => {
              stage.signals.push(request.signal);
              request.signal.addEventListener('abort', () => reject(request.signal.reason));
            }),
        }),
      },
    });
    const running = refresh(catalog, 'online');
    await settle();
    await Promise.all([catalog.close(), catalog.close()]);
    catalog.noteEtag('"e2"');

    expect([await running, await refresh(catalog, 'online'), stage.signals.length]).toEqual([
      { kind: 'off' },
      { kind: 'off' },
      1,
    ]);
  });
});

test('a static list is never asked about, read or written [MODEL-19]', async () => {
  const stage = new CatalogStage();
  stage.keep({ models: [wireEntry('kept')] });
  const staticList = {
    models: modelsOf(wireEntry('mine')),
    origin: 'file',
    etag: undefined,
    confirmedAtMs: undefined,
  } as const;
  const catalog = stage.catalog({ staticList });
  const outcomes = [await refresh(catalog, 'online'), await refresh(catalog, 'online-if-uncached')];
  catalog.noteEtag('"e"');
  await settle();

  expect([slugs(catalog), outcomes, stage.reads, stage.asked]).toEqual([
    ['mine'],
    [{ kind: 'off' }, { kind: 'off' }],
    0,
    [],
  ]);
});
