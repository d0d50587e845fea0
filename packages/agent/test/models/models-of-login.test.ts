import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelsEtag, rehearse, respond, status, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { gate } from '../sub-agents-scene.ts';
import { createLoginScene, listFile, model, warningsOf } from './login-scene.ts';

const SILENT = {
  ...status(/* code */ 200),
  delivery: { stop: { manner: 'stall', position: { afterBytes: 0 } } },
} as const;

describe('with a ChatGPT login', () => {
  test('the list is asked for behind the first request, and serves from the next turn on, its tools from the next thread on [MODEL-44] [MODEL-45]', async () => {
    await using scene = await createLoginScene({
      config: ['model=gpt-9'],
      models: [model('gpt-9', { shell_type: 'unified_exec', support_verbosity: true, default_verbosity: 'high' })],
      etag: '"e1"',
    });
    await using thread = await scene.start();
    await thread.run('first');
    await scene.listed();
    await thread.run('second');
    await using next = await scene.start();
    await next.run('third');

    const { requests, modelsRequests } = scene.simulator;
    const [asked] = modelsRequests;
    expect((asked?.receivedAtMs ?? 0) >= (requests[0]?.receivedAtMs ?? Number.POSITIVE_INFINITY)).toBe(true);
    expect(asked?.headers).toMatchObject({ 'chatgpt-account-id': 'account-1', originator: 'quire_sdk' });
    expect(requests.map(({ body }) => [body['text'], JSON.stringify(body['tools']).includes('exec_command')])).toEqual([
      [undefined, false],
      // Other tools would void what the provider keeps of the conversation.
      [{ verbosity: 'high' }, false],
      [{ verbosity: 'high' }, true],
    ]);
    expect((await scene.cacheFile())['etag']).toBe('"e1"');
  });

  test('no turn waits for an endpoint that hangs, and closing gives it up [MODEL-44]', async () => {
    await using scene = await createLoginScene({ config: ['model=gpt-9'] });
    scene.simulator.setModelsAnswer(SILENT);
    const thread = await scene.start();
    await thread.run('first');
    await scene.simulator.modelsRequest(/* index */ 0);
    await thread.run('second');
    await thread.close();

    expect(scene.models).toEqual(['gpt-9', 'gpt-9']);
    await expect(stat(join(scene.home, 'models_cache.json'))).rejects.toThrow('ENOENT');
  });

  test.each([
    ['a list from less than five minutes ago', { fetched_at: new Date(Date.now() - 200_000).toISOString() }, 1],
    ['an older list', { fetched_at: new Date(Date.now() - 400_000).toISOString() }, 2],
    ['the list of another version', { client_version: '0.0.1' }, 2],
    ['the list of another account', { quire_identity: 'other' }, 2],
  ])('%s in the cache is judged by age, version and owner [MODEL-10] [MODEL-46]', async (_name, changes, asked) => {
    await using scene = await createLoginScene({ models: [model('mine', { priority: 0 })], etag: '"e1"' });
    await using before = await scene.start();
    await before.run('one');
    await scene.listed();
    await before.close();
    await scene.editCache(changes);
    await using after = await scene.start();
    await after.run('two');
    if (asked > 1) await scene.listed(/* index */ 1);
    await after.run('three');

    expect(scene.simulator.modelsRequests.length).toBe(asked);
    const isForeign = !('fetched_at' in changes);
    expect(after.facts.model).toBe(isForeign ? 'gpt-5.2-codex' : 'mine');
  });

  test('another etag in a response has the list there for the next turn, the same one leaves it [MODEL-13]', async () => {
    await using scene = await createLoginScene({
      config: ['model=gpt-9'],
      models: [model('gpt-9')],
      etag: '"e1"',
      steps: [
        respond(text('One.')),
        respond(modelsEtag('"e1"'), text('Two.')),
        respond(modelsEtag('"e2"'), text('Three.')),
        respond(modelsEtag('"e2"'), text('Four.')),
      ],
    });
    await using thread = await scene.start();
    await thread.run('one');
    await scene.listed();
    await thread.run('two');
    scene.simulator.setModels([model('gpt-9', { support_verbosity: true, default_verbosity: 'low' })], {
      etag: '"e2"',
    });
    await thread.run('three');
    await scene.listed(/* index */ 1);
    await thread.run('four');

    expect(scene.simulator.requests.map(({ body }) => body['text'])).toEqual([
      undefined,
      undefined,
      undefined,
      { verbosity: 'low' },
    ]);
    expect(scene.simulator.modelsRequests.length).toBe(2);
  });

  test('a list that can not be understood is told of once, and the models known before serve [MODEL-15] [MODEL-47]', async () => {
    await using scene = await createLoginScene({ models: [{ slug: 'half' }] });
    await using thread = await scene.start();
    const told = [await warningsOf(thread)];
    await scene.listed();
    told.push(await warningsOf(thread), await warningsOf(thread));

    const [warning = '', ...more] = told.flat();
    expect(warning).toMatch(
      /^The provider's list of models is not used: model half has no display_name .*The models known before stay\.$/,
    );
    expect(more).toEqual([]);
    expect(scene.models).toEqual(Array(3).fill('gpt-5.2-codex'));
  });

  test('threads of one program share a list, and it is given up with the last of them [MODEL-46]', async () => {
    await using scene = await createLoginScene({ models: [model('gpt-9')], config: ['model=gpt-9'] });
    await using one = await scene.start();
    await using other = await scene.start();
    await one.run('hi');
    await scene.listed();
    await one.close();
    await other.run('hi');

    expect([scene.simulator.modelsRequests.length, scene.simulator.requests[1]?.body['instructions']]).toEqual([
      1,
      scene.simulator.requests[0]?.body['instructions'],
    ]);
    const listing = await scene.quire.listModels({ strategy: 'offline', workingDirectory: scene.home });
    expect([listing.origin, listing.models.map(({ id }) => id)]).toEqual(['remote', ['gpt-9']]);
  });
});

describe('the model to begin with', () => {
  test.each([
    [
      'the automatic one where it is offered',
      [model('a', { priority: 0 }), model('codex-auto-balanced')],
      'codex-auto-balanced',
    ],
    ['the first that is listed', [model('a', { visibility: 'hide', priority: 0 }), model('b')], 'b'],
  ])('is %s [MODEL-26]', async (_name, models, chosen) => {
    await using scene = await createLoginScene({ models });
    const listing = await scene.quire.listModels({ workingDirectory: scene.home, strategy: 'online' });
    await using thread = await scene.start();

    expect([listing.origin, thread.facts.model]).toEqual(['remote', chosen]);
  });

  test('is the bundled one when the whole list of the provider is hidden [MODEL-26]', async () => {
    await using scene = await createLoginScene({ models: [model('a', { visibility: 'hide', priority: -1 })] });
    const listing = await scene.quire.listModels({ workingDirectory: scene.home, strategy: 'online' });
    await using thread = await scene.start();

    expect([listing.models[0]?.id, listing.models.find(({ isDefault }) => isDefault)?.id, thread.facts.model]).toEqual([
      'a',
      'gpt-5.2-codex',
      'gpt-5.2-codex',
    ]);
  });

  test('of a static list where all are hidden is its first [MODEL-26]', async () => {
    await using scene = await createLoginScene({ login: 'api-key' });
    const { writeFile } = await import('node:fs/promises');
    const file = join(scene.home, 'models.json');
    await writeFile(
      file,
      JSON.stringify({ models: [model('z', { visibility: 'none', priority: 2 }), model('y', { visibility: 'hide' })] }),
    );
    await using other = await createLoginScene({
      login: 'api-key',
      config: [`model_catalog_json=${JSON.stringify(file)}`],
    });
    await using thread = await other.start();

    expect(thread.facts.model).toBe('y');
  });
});

describe('a list of the user', () => {
  test('is final: nobody is asked, nothing is kept, etags are nothing [MODEL-19] [MODEL-48]', async () => {
    await using file = await listFile([model('own', { context_window: 1_000_000 })]);
    await using scene = await createLoginScene({
      config: [file.setting],
      models: [model('theirs')],
      steps: [respond(modelsEtag('"e2"'), text('One.')), respond(text('Two.'))],
    });
    await using thread = await scene.start();
    await thread.run('one');
    await thread.run('two');

    expect([thread.facts.model, scene.models, scene.simulator.modelsRequests]).toEqual(['own', ['own', 'own'], []]);
    await expect(stat(join(scene.home, 'models_cache.json'))).rejects.toThrow('ENOENT');
  });

  test('with a mistake keeps a thread from opening, and says which [MODEL-21] [MODEL-48]', async () => {
    await using file = await listFile([{ slug: 'half' }]);
    await using scene = await createLoginScene({ config: [file.setting] });

    await expect(scene.start()).rejects.toThrow(
      `model_catalog_json: ${file.path} is no list of models: model half has no display_name`,
    );
  });
});

test('with an API key nobody is asked, whatever responses say of a list [MODEL-14]', async () => {
  await using scene = await createLoginScene({
    login: 'api-key',
    models: [model('mine')],
    steps: [respond(modelsEtag('"e2"'), text('One.')), respond(text('Two.'))],
  });
  await using thread = await scene.start();
  await thread.run('one');
  const listing = await scene.quire.listModels({ workingDirectory: scene.home, strategy: 'online' });
  await thread.run('two');

  expect([scene.simulator.modelsRequests, listing.origin, listing.refresh, thread.facts.model]).toEqual([
    [],
    'bundled',
    { kind: 'kept' },
    'gpt-5.2-codex',
  ]);
});

describe('a model that nobody described', () => {
  const NOTHING = (name: string) =>
    `Nothing is known about the model ${name}; general settings are used for it, which may cost quality.`;

  test('is told of when the thread opens where nobody is asked, and not again [MODEL-07] [CHECK-30]', async () => {
    await using scene = await createLoginScene({ login: 'api-key', config: ['model=llama'] });
    await using thread = await scene.start();

    expect([thread.facts.warnings, await warningsOf(thread), await warningsOf(thread)]).toEqual([
      [NOTHING('llama')],
      [],
      [],
    ]);
  });

  test('is not told of when the list describes it that is on its way [MODEL-07]', async () => {
    const isListed = gate();
    const rules = rehearse(async () => {
      await isListed.opened;
      return respond(text('Ok.'));
    });
    await using scene = await createLoginScene({ config: ['model=llama-4'], models: [model('llama')], rules });
    await using thread = await scene.start();
    const turn = warningsOf(thread);
    await scene.listed();
    isListed.open();

    expect([thread.facts.warnings, await turn, await warningsOf(thread)]).toEqual([[], [], []]);
  });

  test('is told of before the end of its first turn when no list comes, once [MODEL-07]', async () => {
    await using scene = await createLoginScene({ config: ['model=llama'] });
    scene.simulator.setModelsAnswer(SILENT);
    await using thread = await scene.start();

    expect([thread.facts.warnings, await warningsOf(thread), await warningsOf(thread)]).toEqual([
      [],
      [NOTHING('llama')],
      [],
    ]);
  });

  test('is told of when a turn asks for it [MODEL-07]', async () => {
    await using scene = await createLoginScene({ login: 'api-key' });
    await using thread = await scene.start();
    const told: string[] = [];
    const turn = (name: string) =>
      thread.runPushed('hi', {
        overrides: { model: name },
        onEvent: (event) => {
          if (event.kind === 'warning') told.push(event.message);
        },
      });
    for (const name of ['llama', 'gpt-5.2', 'llama', 'gpt-5.3-codec']) await turn(name);

    expect(told).toEqual([NOTHING('llama'), `${NOTHING('gpt-5.3-codec')} Was gpt-5.3-codex meant?`]);
  });
});

test('a model is described by the beginning of its name, also behind one namespace, and asked for as it was written [MODEL-05]', async () => {
  const known: (number | undefined)[] = [];
  const names = ['gpt-5.2-codex-2027', 'own/gpt-5.2-codex', 'a/b/gpt-5.2-codex'];
  await using scene = await createLoginScene({ login: 'api-key', config: ['model_verbosity="high"'] });
  for (const name of names) {
    await using thread = await scene.start({ model: name });
    await thread.run('hi');
    known.push(thread.facts.warnings.length);
  }

  expect([scene.models, known]).toEqual([names, [0, 0, 1]]);
});

describe('a program that asks for the models', () => {
  const place = (home: string) => ({ workingDirectory: home, strategy: 'online' }) as const;

  test('gets them with the offer to upgrade and the next notice, until these were answered and shown [MODEL-53]', async () => {
    await using scene = await createLoginScene({
      config: ['model=old', 'model_reasoning_effort="medium"'],
      models: [
        model('new', { priority: 0, availability_nux: { message: 'New is here.' } }),
        model('old', { upgrade: { model: 'new', migration_markdown: 'Try **new**.' } }),
      ],
      etag: '"e1"',
    });
    const before = await scene.quire.listModels(place(scene.home));
    await writeFile(
      join(scene.home, 'config.toml'),
      '[notice.model_migrations]\nold = "new"\n[tui.model_availability_nux]\nnew = 4\n',
    );
    const after = await scene.quire.listModels(place(scene.home));

    expect({ ...before, models: before.models.map(({ id }) => id), confirmedAtMs: 0 }).toEqual({
      models: ['new', 'old'],
      upgrade: { from: 'old', to: 'new', migrationMarkdown: 'Try **new**.', reasoningEffort: 'medium' },
      availability: { model: 'new', message: 'New is here.', showings: 1 },
      origin: 'remote',
      etag: '"e1"',
      confirmedAtMs: 0,
      refresh: { kind: 'fresh', from: 'provider' },
      notices: [],
    });
    expect([after.upgrade, after.availability]).toEqual([undefined, undefined]);
  });

  test('is told why a list is not there [MODEL-53]', async () => {
    await using scene = await createLoginScene();
    scene.simulator.setModelsAnswer(status(/* code */ 403, { body: 'no' }));
    const listing = await scene.quire.listModels(place(scene.home));

    expect([listing.origin, listing.refresh.kind, listing.notices]).toEqual([
      'bundled',
      'failed',
      [listing.refresh.kind === 'failed' ? listing.refresh.message : ''],
    ]);
    expect(listing.notices[0]).toContain('403');
  });
});
