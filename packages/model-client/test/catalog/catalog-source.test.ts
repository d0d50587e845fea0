import { type CatalogAccess, type FetchedCatalog, ModelCatalog } from '@quire/core';
import { createDialer } from '@quire/network';
import { type Credentials, ModelError, type ModelProvider } from '@quire/protocol';
import { type Answer, catalogEntry, modelsEtag, respond, Simulator, status, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { createCatalogSource, createModelClient } from '../../src/index.ts';
import { beginTurn, options as clientOptions, REQUEST, recordingClock, run } from '../support.ts';

const LOGIN: Credentials = { kind: 'chatgpt', accessToken: 'secret-token-of-the-test', accountId: 'account' };
const signal = new AbortController().signal;
const ENTRY = catalogEntry('m');

/** A provider with a models endpoint, and this client's way to it. */
class Stage implements AsyncDisposable {
  readonly clock = recordingClock();
  readonly simulator: Simulator;
  readonly #dialer = createDialer({ environment: {} });

  constructor(simulator: Simulator) {
    this.simulator = simulator;
  }

  source(changes: { credentials?: Credentials; timeoutMs?: number; with?: Partial<ModelProvider> } = {}) {
    const { credentials = LOGIN, timeoutMs } = changes;
    const { provider, ...identity } = clientOptions(this.simulator.url, { clock: this.clock });
    return createCatalogSource({
      ...identity,
      clientVersion: '1.2.3-beta.4',
      provider: { ...provider, ...changes.with },
      credentials: { current: () => Promise.resolve(credentials) },
      dialer: this.#dialer,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  }

  async fetch(changes: Parameters<Stage['source']>[0] & { knownEtag?: string } = {}): Promise<FetchedCatalog> {
    const access = await this.source(changes).access({ signal });
    return await fetchOf(access)({ knownEtag: changes.knownEtag, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dialer.close();
    await this.simulator.stop();
  }
}

function fetchOf(access: CatalogAccess): NonNullable<CatalogAccess['fetch']> {
  if (access.fetch === undefined) throw new Error('a login may ask');
  return access.fetch;
}

const stage = async (options: Parameters<typeof Simulator.start>[0] = {}) => new Stage(await Simulator.start(options));
/** A good answer that stops after a few bytes. */
const cutShort = (manner: 'stall' | 'destroy'): Answer => ({
  ...status(/* code */ 200, { body: { models: [] } }),
  delivery: { stop: { manner, position: { afterBytes: 5 } } },
});
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the models endpoint', () => {
  test('is asked with the version in three numbers and the headers of the provider, and its etag keeps its quotes [MODEL-22] [CHECK-24] [CHECK-25]', async () => {
    await using at = await stage({ models: [ENTRY], etag: '"e1"' });
    const fetched = await at.fetch({
      with: { queryParams: { 'api-version': '2026' }, httpHeaders: { 'X-Own': 'own' } },
    });

    expect(fetched).toEqual({ kind: 'list', models: [ENTRY], etag: '"e1"' });
    const { host: _host, connection: _connection, ...headers } = at.simulator.modelsRequests[0]?.headers ?? {};
    expect([at.simulator.modelsRequests[0]?.path, at.simulator.modelsRequests[0]?.clientVersion, headers]).toEqual([
      '/v1/models?api-version=2026&client_version=1.2.3',
      '1.2.3',
      {
        accept: 'application/json',
        authorization: 'Bearer secret-token-of-the-test',
        'chatgpt-account-id': 'account',
        originator: 'quire_test',
        'user-agent': 'quire_test/1.2.3 (TestOS 1; x64) none',
        'x-own': 'own',
      },
    ]);
  });

  test('need not send again what is known [MODEL-22]', async () => {
    await using at = await stage({ models: [ENTRY], etag: '"e1"' });

    expect([await at.fetch({ knownEtag: '"e1"' }), (await at.fetch({ knownEtag: '"e0"' })).kind]).toEqual([
      { kind: 'unchanged' },
      'list',
    ]);
  });

  test('may put the etag into the body, as older ones do [MODEL-22]', async () => {
    await using at = await stage();
    at.simulator.setModelsAnswer(status(/* code */ 200, { body: { models: [], etag: 'old' } }));

    expect(await at.fetch()).toEqual({ kind: 'list', models: [], etag: 'old' });
  });

  test('is asked again after a fault of the server, not after a refusal [MODEL-23]', async () => {
    await using at = await stage();
    at.simulator.setModelsAnswer(status(/* code */ 503));
    const fault = await failure(at.fetch({ with: { requestMaxRetries: 2 } }));
    const asked = at.simulator.modelsRequests.length;
    at.simulator.setModelsAnswer(status(/* code */ 403, { body: 'secret-token-of-the-test' }));
    const refusal = await failure(at.fetch({ with: { requestMaxRetries: 2 } }));

    expect([asked, at.clock.delaysMs, at.simulator.modelsRequests.length]).toEqual([3, [200, 400], 4]);
    expect([fault, refusal]).toMatchObject([{ httpStatus: 503 }, { httpStatus: 403 }]);
    expect(String(refusal)).not.toContain('secret-token');
  });

  test('that is silent is given up within its time, retries and all [MODEL-23]', async () => {
    await using at = await stage();
    at.simulator.setModelsAnswer(cutShort('stall'));
    const error = await failure(at.fetch({ timeoutMs: 50, with: { requestMaxRetries: 9 } }));

    expect([error instanceof ModelError, String(error)]).toEqual([
      true,
      'ModelError: the models endpoint of the provider "test" did not answer within 50 ms',
    ]);
    expect(error).toMatchObject({ code: 'request-timeout', retryable: true });
  });

  test('is let go of when nobody waits for it any more [MODEL-23]', async () => {
    await using at = await stage();
    at.simulator.setModelsAnswer(cutShort('stall'));
    const abort = new AbortController();
    const access = await at.source().access({ signal });
    const fetching = failure(fetchOf(access)({ knownEtag: undefined, signal: abort.signal }));
    await at.simulator.modelsRequest(/* index */ 0);
    abort.abort(new Error('closed'));

    expect(await fetching).toEqual(new Error('closed'));
  });

  test.each([
    [
      'a web page',
      { headers: { 'content-type': 'text/html' }, body: '<p>' },
      'answered with a web page (text/html) instead of JSON',
    ],
    ['no JSON', { body: 'hello' }, 'answered with something that is not a JSON object; check base_url'],
    ['a list', { body: '[]' }, 'answered with something that is not a JSON object; check base_url'],
    ['no models', { body: { data: [] } }, 'answered with no list "models"; check base_url'],
  ])('that answers with %s is a typed failure that names its address [MODEL-24]', async (_what, answer, message) => {
    await using at = await stage();
    at.simulator.setModelsAnswer(status(/* code */ 200, answer));
    const error = await failure(at.fetch());

    expect(error).toMatchObject({ code: 'stream-protocol', retryable: false });
    expect(String(error)).toContain(`${at.simulator.url}/models?client_version=1.2.3 ${message}`);
  });
});

test('a list that breaks off is a typed failure that may pass [MODEL-24]', async () => {
  await using at = await stage();
  at.simulator.setModelsAnswer(cutShort('destroy'));

  expect(await failure(at.fetch())).toMatchObject({
    code: 'stream-truncated',
    retryable: true,
    message: `${at.simulator.url}/models?client_version=1.2.3 broke off its list of models`,
  });
});

describe('whose list it is', () => {
  test('depends on provider, address, kind of credentials and account, and holds no secret [MODEL-17]', async () => {
    await using at = await stage();
    const identities = await Promise.all(
      [
        {},
        { credentials: { ...LOGIN, accessToken: 'another-token' } },
        { credentials: { ...LOGIN, accountId: 'other' } },
        { credentials: { kind: 'api-key', token: 'key' } as const },
        { credentials: { kind: 'none' } as const },
        { with: { id: 'other' } },
        { with: { baseUrl: 'http://127.0.0.1:1' } },
      ].map(async (changes) => (await at.source(changes).access({ signal })).identity),
    );

    expect([identities[1] === identities[0], new Set(identities).size]).toEqual([true, 6]);
    expect(identities.join()).toMatch(/^[0-9a-f,]+$/);
  });

  test.each([{ kind: 'none' } as const, { kind: 'api-key', token: 'key' } as const])(
    'with credentials of the kind $kind nobody is asked [MODEL-14]',
    async (credentials) => {
      await using at = await stage();
      const access = await at.source({ credentials }).access({ signal });

      expect([access.isChatgpt, access.fetch, at.simulator.modelsRequests]).toEqual([false, undefined, []]);
    },
  );
});

test('an etag in a response has the new list there for the next turn, and the turn waits for nothing [MODEL-13]', async () => {
  await using at = await stage({
    models: [catalogEntry('one')],
    etag: '"e1"',
    steps: [respond(modelsEtag('"e2"'), text('done'))],
  });
  const catalog = new ModelCatalog({ clock: at.clock, clientVersion: '1.2.3', source: at.source() });
  await catalog.refresh({ strategy: 'online', signal });
  at.simulator.setModels([catalogEntry('two')], { etag: '"e2"' });
  const changed = new Promise<readonly string[]>((resolve) => {
    catalog.onChange(({ models }) => resolve(models.map(({ slug }) => slug)));
  });
  const client = createModelClient(clientOptions(at.simulator.url, { clock: at.clock }));
  try {
    for (const event of await run(beginTurn(client), REQUEST)) {
      if (event.kind === 'models-etag') catalog.noteEtag(event.etag);
    }
    const afterTurn = catalog.current().models.map(({ slug }) => slug);

    expect([afterTurn, await changed, at.simulator.modelsRequests.length]).toEqual([['one'], ['two'], 2]);
  } finally {
    client.close();
    catalog.close();
  }
});
