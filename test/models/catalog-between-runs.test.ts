/** The list of models over real sockets and a real home folder, from one run of the program to the next. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chooseModel, findModelIn, ModelCatalog, type RefreshOutcome } from '@quire/core';
import { systemEntropy } from '@quire/host';
import { createCatalogSource } from '@quire/model-client';
import { createDialer } from '@quire/network';
import type { Credentials, ModelProvider } from '@quire/protocol';
import { catalogEntry, Simulator } from '@quire/simulator';
import { createCatalogCache } from '@quire/store';
import { expect, test } from 'vitest';

const START_MS = Date.UTC(2026, 1, 1);
const LOGIN: Credentials = {
  kind: 'chatgpt',
  accessToken: 'secret-token-of-the-test',
  accountId: 'account-of-the-test',
};

function providerAt(baseUrl: string): ModelProvider {
  return {
    id: 'openai',
    name: 'OpenAI',
    baseUrl,
    envKey: undefined,
    envKeyInstructions: undefined,
    bearerToken: undefined,
    queryParams: {},
    httpHeaders: {},
    envHttpHeaders: {},
    requestMaxRetries: 0,
    streamMaxRetries: 0,
    streamIdleTimeoutMs: 20_000,
    requiresOpenaiAuth: true,
  };
}

interface Run {
  readonly outcome: RefreshOutcome;
  readonly chosen: string;
  /** Whose instructions `gpt-9` gets. */
  readonly instructions: string | undefined;
}

/** One run of the program: a catalog of its own, brought up to date once. */
async function runOnce(
  at: { readonly sim: Simulator; readonly home: string },
  given: { readonly atMs?: number; readonly version?: string; readonly credentials?: Credentials } = {},
): Promise<Run> {
  const { atMs = 0, version = '1.2.3', credentials = LOGIN } = given;
  const dialer = createDialer({ environment: {} });
  const clock = { now: () => START_MS + atMs, sleep: () => Promise.resolve() };
  const source = createCatalogSource({
    provider: providerAt(at.sim.url),
    credentials: { current: () => Promise.resolve(credentials) },
    dialer,
    originator: 'quire_test',
    clientVersion: version,
    userAgent: 'quire_test',
    clock,
    entropy: systemEntropy,
    environment: {},
  });
  const catalog = new ModelCatalog({ clock, clientVersion: version, source, cache: createCatalogCache(at) });
  try {
    const outcome = await catalog.refresh({ strategy: 'online-if-uncached', signal: new AbortController().signal });
    const { models } = catalog.current();
    const chosen = chooseModel(models, { explicit: undefined, isChatgpt: credentials.kind === 'chatgpt' });
    return { outcome, chosen, instructions: findModelIn(models, 'gpt-9').baseInstructions };
  } finally {
    catalog.close();
    dialer.close();
  }
}

test('a list is asked for once in five minutes, and anew by another version or account [MODEL-10] [MODEL-11] [CHECK-26] [CHECK-27]', async () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'quire-models-'));
  const models = [catalogEntry('gpt-9'), catalogEntry('codex-auto-balanced', { priority: 9 })];
  await using sim = await Simulator.start({ models, etag: '"e1"' });
  const at = { sim, home };
  try {
    const runs = [
      await runOnce(at),
      await runOnce(at, { atMs: 300_000 }),
      await runOnce(at, { atMs: 300_001 }),
      await runOnce(at, { atMs: 300_002, version: '1.2.4' }),
      await runOnce(at, { atMs: 300_003, version: '1.2.4', credentials: { ...LOGIN, accountId: 'other' } }),
      await runOnce(at, { atMs: 300_004, credentials: { kind: 'api-key', token: 'key' } }),
    ];
    const known = { chosen: 'codex-auto-balanced', instructions: 'Instructions of gpt-9.' };
    const provider: Run = { ...known, outcome: { kind: 'fresh', from: 'provider' } };

    expect(runs).toEqual([
      provider,
      { ...known, outcome: { kind: 'fresh', from: 'cache' } },
      provider,
      provider,
      provider,
      { chosen: 'gpt-5.2-codex', instructions: undefined, outcome: { kind: 'kept' } },
    ]);
    expect(sim.modelsRequests.map(({ headers, clientVersion }) => [headers['if-none-match'], clientVersion])).toEqual([
      [undefined, '1.2.3'],
      ['"e1"', '1.2.3'],
      [undefined, '1.2.4'],
      [undefined, '1.2.4'],
    ]);
    const kept = fs.readFileSync(path.join(home, 'models_cache.json'), 'utf8');
    expect([kept.includes('secret-token'), kept.includes('account-of-the-test')]).toEqual([false, false]);
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
});
