/** A renewal is killed (kill -9) at each of its steps, in the process that wants it and in the one that does it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { delay, stall, status } from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Death, environmentOfDeath } from './support/death.ts';
import type { Home } from './support/home.ts';
import {
  buildWorker,
  LIFETIME_MS,
  stageWorkers,
  storedTokens,
  type Worker,
  type WorkerProgram,
  type WorkerScene,
} from './support/workers.ts';

let program: WorkerProgram;
beforeAll(async () => {
  program = await buildWorker();
});
afterAll(() => program[Symbol.asyncDispose]());

const LOCK = '.quire-lock';
const GATE = '.quire-renewal';
const DRAFT = '.draft';
/** Longest time that a lock of a dead process keeps anybody waiting; with the start of two processes on a busy machine. */
const SOON_MS = 15_000;

/**
 * What the next one finds: new tokens that are stored or stand beside the file, tokens that it has to renew, or a refresh
 * token that is spent.
 */
type Left = 'renewed' | 'beside' | 'untouched' | 'spent';

const STEPS: readonly (readonly [string, Death, Left])[] = [
  ['the renewing one before it has its order', { who: 'renewer', at: 'start' }, 'untouched'],
  ['the renewing one as it takes the lock', { who: 'renewer', at: 'link', path: LOCK }, 'untouched'],
  [
    'the renewing one with the lock, before it asks',
    { who: 'renewer', at: 'link', when: 'after', path: LOCK },
    'untouched',
  ],
  ['the renewing one while it tries the disk', { who: 'renewer', at: 'half-written', path: DRAFT }, 'untouched'],
  [
    'the renewing one with the grant, before it writes',
    { who: 'renewer', at: 'open', path: DRAFT, spares: 1 },
    'spent',
  ],
  [
    'the renewing one in the middle of its write',
    { who: 'renewer', at: 'half-written', path: DRAFT, spares: 1 },
    'spent',
  ],
  [
    'the renewing one before the new file is in its place',
    { who: 'renewer', at: 'rename', path: 'auth.json' },
    'beside',
  ],
  [
    'the renewing one with the lock, when all is stored',
    { who: 'renewer', at: 'rename', when: 'after', path: 'auth.json' },
    'renewed',
  ],
  ['the renewing one before it gives the lock back', { who: 'renewer', at: 'rm', path: LOCK }, 'renewed'],
  [
    'the renewing one before it tells what came of it',
    { who: 'renewer', at: 'rm', when: 'after', path: LOCK },
    'renewed',
  ],
  ['the asking one as it takes its turn', { who: 'asker', at: 'link', path: GATE }, 'untouched'],
  [
    'the asking one with its turn, before it starts anything',
    { who: 'asker', at: 'link', when: 'after', path: GATE },
    'untouched',
  ],
  ['the asking one before it has given its order', { who: 'asker', at: 'spawn' }, 'untouched'],
  ['the asking one before it gives its turn back', { who: 'asker', at: 'rm', path: GATE }, 'renewed'],
];

const SPENT = 'the login was renewed by another program that did not store the result; log in again with quire login';

describe('kill -9 of a renewal leaves a login, or one line that says what to do: of', () => {
  test.each(STEPS)('%s [AUTH-102]', async (_where, death, left) => {
    await using scene = await stageWorkers(program);
    const before = await storedTokens(scene.home);
    scene.nowMs += LIFETIME_MS;
    const [victim] = await scene.start(/* count */ 1, await environmentOfDeath(program.folder, death));
    const [next] = await scene.start(/* count */ 1);
    if (victim === undefined || next === undefined) throw new Error('no workers');
    const own = await Promise.race([victim.do({ kind: 'current', nowMs: scene.nowMs }), victim.gone]);

    const startedAt = performance.now();
    const token = await next.do({ kind: 'current', nowMs: scene.nowMs });
    const tookMs = performance.now() - startedAt;

    const after = await storedTokens(scene.home);
    const { oauth } = scene.sim;
    expect({ ...outcome(next), isGood: oauth.accepts(token), asked: oauth.refreshes.length }).toEqual(
      left === 'spent' ? { told: [SPENT], isGood: false, asked: 2 } : { told: [], isGood: true, asked: 1 },
    );
    expect(left === 'spent' ? after : token).toEqual(left === 'spent' ? before : after.accessToken);
    expect(tookMs).toBeLessThan(SOON_MS);
    // Who asked and lives on has what was stored.
    expect(left === 'renewed' && death.who === 'renewer' ? own : token).toBe(token);
    // Locks that say nothing but who had them may stay; files with tokens may not.
    expect((await readdir(scene.home.path)).filter((name) => !/\.quire-(lock|renewal)/.test(name))).toEqual([
      'auth.json',
    ]);
  });
});

test('a process that is killed while it takes a lock over keeps the next one waiting for a second at most [AUTH-103]', async () => {
  await using scene = await stageWorkers(program);
  scene.nowMs += LIFETIME_MS;
  const deaths: readonly Death[] = [
    { who: 'asker', at: 'link', when: 'after', path: GATE },
    { who: 'asker', at: 'writeFile', when: 'after', path: `${GATE}.takeover` },
  ];
  for (const death of deaths) {
    const [victim] = await scene.start(/* count */ 1, await environmentOfDeath(program.folder, death));
    void victim?.do({ kind: 'current', nowMs: scene.nowMs });
    await victim?.gone;
  }
  const left = (await readdir(scene.home.path)).filter((name) => /(renewal|takeover)$/.test(name)).toSorted();
  expect(left).toEqual(['auth.json.quire-renewal', 'auth.json.quire-renewal.takeover']);
  const others = await scene.start(/* count */ 3);
  const startedAt = performance.now();
  const tokens = await Promise.all(others.map((other) => other.do({ kind: 'current', nowMs: scene.nowMs })));
  expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
  expect(new Set(tokens)).toEqual(new Set([(await storedTokens(scene.home)).accessToken]));
  expect([scene.sim.oauth.refreshes.length, scene.sim.oauth.reuseRevocations]).toEqual([1, 0]);
  expect(await readdir(scene.home.path)).toEqual(['auth.json']);
});

const PAGE = status(/* code */ 200, { headers: { 'content-type': 'text/html' }, body: '<html>portal</html>' });
const SERVERS = [
  ['hangs', stall(), []],
  ['is slow', delay(/* delayMs */ 60_000, PAGE), []],
  ['answers with a page', PAGE, [expect.stringContaining('answered with a web page')]],
] as const;

describe('kill -9 beside a token server that', () => {
  test.each(SERVERS)(
    '%s: of the one that renews; the next is served at once [AUTH-104]',
    async (_how, answer, told) => {
      await using scene = await stageWorkers(program);
      scene.nowMs += LIFETIME_MS;
      scene.sim.oauth.failNext('token', answer);
      const [asker, next] = await scene.start(/* count */ 2);
      const failing = asker?.do({ kind: 'current', nowMs: scene.nowMs });
      await scene.sim.oauthRequest(({ endpoint }) => endpoint === 'token');
      if (told.length === 0) process.kill(await lockHolder(scene.home), 'SIGKILL');
      await failing;
      expect(asker && outcome(asker).told).toEqual(
        told.length > 0 ? told : ['the login could not be renewed: the process that did so was ended'],
      );
      await expectServed(scene, next);
    },
  );

  test.each([
    ['is slow', delay(/* delayMs */ 1000, PAGE)],
    ['answers with a page', PAGE],
  ])('%s: of the one that asks; the next is served when the server is done [AUTH-104]', async (_how, answer) => {
    await using scene = await stageWorkers(program);
    scene.nowMs += LIFETIME_MS;
    scene.sim.oauth.failNext('token', answer);
    const [asker, next] = await scene.start(/* count */ 2);
    void asker?.do({ kind: 'current', nowMs: scene.nowMs });
    await scene.sim.oauthRequest(({ endpoint }) => endpoint === 'token');
    await asker?.kill();
    await expectServed(scene, next);
  });
});

async function expectServed(scene: WorkerScene, next: Worker | undefined): Promise<void> {
  const startedAt = performance.now();
  const token = await next?.do({ kind: 'current', nowMs: scene.nowMs });
  expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
  expect(token).toBe((await storedTokens(scene.home)).accessToken);
  expect([scene.sim.oauth.accepts(token ?? ''), scene.sim.oauth.reuseRevocations]).toEqual([true, 0]);
}

/** The process that renews. */
async function lockHolder(home: Home): Promise<number> {
  const owner = JSON.parse(await readFile(join(home.path, `auth.json${LOCK}`), 'utf8')) as { readonly pid: number };
  return owner.pid;
}

const outcome = ({ logs }: Worker): { readonly told: readonly unknown[] } => ({
  told: logs.flatMap(({ kind, message }) => (kind === 'renewal-failed' ? message : [])),
});
