import { readdir, watch } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Home } from './support/home.ts';
import { buildWorker, LIFETIME_MS, stageWorkers, storedTokens, type WorkerProgram } from './support/workers.ts';

/** The whole of it takes a quarter of an hour; every run does a little. */
const IS_FULL = process.env['QUIRE_AUTH_FULL'] === '1';
const PROCESSES = IS_FULL ? 50 : 6;
const EXPIRIES = IS_FULL ? 1000 : 6;

let program: WorkerProgram;
beforeAll(async () => {
  program = await buildWorker();
});
afterAll(() => program[Symbol.asyncDispose]());

test(
  `${PROCESSES} processes and ${EXPIRIES} expiries: exactly one renewal for each, and no revocation [AUTH-100]`,
  async () => {
    await using scene = await stageWorkers(program);
    const workers = await scene.start(PROCESSES);
    for (let expiry = 1; expiry <= EXPIRIES; expiry += 1) {
      scene.nowMs += LIFETIME_MS;
      const tokens = await Promise.all(workers.map((worker) => worker.do({ kind: 'current', nowMs: scene.nowMs })));
      const { accessToken } = await storedTokens(scene.home);
      expect(new Set(tokens)).toEqual(new Set([accessToken]));
      expect(scene.sim.oauth.accepts(accessToken)).toBe(true);
      expect([scene.sim.oauth.refreshes.length, scene.sim.oauth.reuseRevocations]).toEqual([expiry, 0]);
    }
    const logs = workers.flatMap((worker) => worker.logs);
    expect(logs.filter(({ by }) => by === 'this').length).toBe(EXPIRIES);
    expect(logs.length).toBe(EXPIRIES * PROCESSES);
    expect((await readdir(scene.home.path)).toSorted()).toEqual(['auth.json']);
  },
  IS_FULL ? 3_600_000 : 60_000,
);

test('processes that are refused all at once renew once [AUTH-100]', async () => {
  await using scene = await stageWorkers(program);
  const workers = await scene.start(/* count */ 4);
  await Promise.all(workers.map((worker) => worker.do({ kind: 'current', nowMs: scene.nowMs })));
  scene.sim.oauth.expireAccessTokens();
  const tokens = await Promise.all(workers.map((worker) => worker.do({ kind: 'recover' })));
  expect(new Set(tokens)).toEqual(new Set([(await storedTokens(scene.home)).accessToken]));
  // One that reads the file after another has stored what is new takes that, and is then refused no more.
  expect(scene.sim.oauth.reuseRevocations).toBe(0);
  expect(scene.sim.oauth.accepts(tokens[0] ?? '')).toBe(true);
}, 60_000);

test('kill -9 between the grant and the store loses no login [AUTH-101]', async () => {
  await using scene = await stageWorkers(program);
  for (let round = 1; round <= (IS_FULL ? 50 : 3); round += 1) {
    scene.nowMs += LIFETIME_MS;
    const before = await storedTokens(scene.home);
    const [worker] = await scene.start(/* count */ 1);
    const hold = scene.sim.oauth.holdNext('token');
    const change = changeOf(scene.home);
    void worker?.do({ kind: 'current', nowMs: scene.nowMs });
    await hold.arrived; // the server has counted the refresh token as used
    await worker?.kill();
    expect(await storedTokens(scene.home)).toEqual(before);
    hold.release();
    await change;
    const [next] = await scene.start(/* count */ 1);
    const token = await next?.do({ kind: 'current', nowMs: scene.nowMs });
    expect([token, scene.sim.oauth.refreshes.length, scene.sim.oauth.reuseRevocations]).toEqual([
      (await storedTokens(scene.home)).accessToken,
      round,
      0,
    ]);
    expect(scene.sim.oauth.accepts(token ?? '')).toBe(true);
  }
}, 120_000);

test('one that starts while a killed process is still being served waits for what comes [AUTH-101]', async () => {
  await using scene = await stageWorkers(program);
  scene.nowMs += LIFETIME_MS;
  const [worker] = await scene.start(/* count */ 1);
  const hold = scene.sim.oauth.holdNext('token');
  void worker?.do({ kind: 'current', nowMs: scene.nowMs });
  await hold.arrived;
  await worker?.kill();
  const others = await scene.start(/* count */ 2);
  const tokens = Promise.all(others.map((other) => other.do({ kind: 'current', nowMs: scene.nowMs })));
  hold.release();
  expect(new Set(await tokens)).toEqual(new Set([(await storedTokens(scene.home)).accessToken]));
  expect([scene.sim.oauth.refreshes.length, scene.sim.oauth.reuseRevocations]).toEqual([1, 0]);
}, 60_000);

/** Resolves when `auth.json` is replaced. */
async function changeOf(home: Home): Promise<void> {
  for await (const { filename, eventType } of watch(home.path)) {
    if (filename === 'auth.json' && eventType === 'rename') return;
  }
}
