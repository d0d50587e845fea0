import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ACCOUNTS, type IssuedTokens, Simulator } from '@quire/simulator';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHome, type Home, stored } from './support/home.ts';
import type { Task } from './support/worker.ts';

/** The whole of it takes a quarter of an hour; every run does a little. */
const IS_FULL = process.env['QUIRE_AUTH_FULL'] === '1';
const PROCESSES = IS_FULL ? 50 : 6;
const EXPIRIES = IS_FULL ? 1000 : 6;
const LIFETIME_MS = 3600_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quire-auth-workers-'));
  await build({
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    entryPoints: { worker: fileURLToPath(new URL('./support/worker.ts', import.meta.url)) },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['quire-source'],
    external: ['@napi-rs/keyring'],
    logLevel: 'error',
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Answer {
  readonly kind: 'ready' | 'token' | 'failed' | 'log';
  readonly token?: string;
  readonly message?: string;
  readonly record?: { readonly kind: string; readonly by?: string };
}

/** A process that uses the login. */
class Worker {
  readonly child: ChildProcess;
  readonly logs: NonNullable<Answer['record']>[] = [];
  #settle: (answer: Answer) => void = () => undefined;
  readonly ready: Promise<Answer>;

  constructor(home: Home, sim: Simulator) {
    this.child = fork(join(folder, 'worker.mjs'), [home.path], {
      env: { PATH: process.env['PATH'], CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/token` },
      execArgv: [],
      // A group of its own, so that everything that belongs to it can be killed at once.
      detached: true,
    });
    this.ready = this.#next();
    this.child.on('message', (answer: Answer) => {
      if (answer.kind === 'log' && answer.record !== undefined) this.logs.push(answer.record);
      else this.#settle(answer);
    });
  }

  async do(task: Task): Promise<string> {
    const next = this.#next();
    this.child.send(task);
    const answer = await next;
    return answer.kind === 'token' ? (answer.token ?? '') : `failed: ${answer.message}`;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = once(this.child, 'exit');
    process.kill(-(this.child.pid ?? 0), 'SIGKILL');
    await closed;
  }

  #next(): Promise<Answer> {
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }
}

interface Scene extends AsyncDisposable {
  readonly sim: Simulator;
  readonly home: Home;
  readonly workers: Worker[];
  /** By the clock of server and workers. */
  nowMs: number;
  start(count: number): Promise<readonly Worker[]>;
}

async function stage(): Promise<Scene> {
  const home = await createHome();
  const workers: Worker[] = [];
  const scene = { nowMs: Date.now() };
  const sim = await Simulator.start({
    oauth: { now: () => scene.nowMs, accessTokenLifetimeSeconds: LIFETIME_MS / 1000, refreshTokenLifetimeSeconds: 1e9 },
  });
  await home.write(stored(sim.oauth.logIn(ACCOUNTS.plus)));
  return Object.assign(scene, {
    sim,
    home,
    workers,
    start: async (count: number) => {
      const more = Array.from({ length: count }, () => new Worker(home, sim));
      workers.push(...more);
      await Promise.all(more.map((worker) => worker.ready));
      return more;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.kill()));
      await sim.stop();
      await home[Symbol.asyncDispose]();
    },
  });
}

const storedTokens = async (home: Home): Promise<IssuedTokens> => {
  const tokens = (await home.json())['tokens'] as Record<string, string>;
  return {
    idToken: tokens['id_token'] ?? '',
    accessToken: tokens['access_token'] ?? '',
    refreshToken: tokens['refresh_token'] ?? '',
  };
};

test(
  `${PROCESSES} processes and ${EXPIRIES} expiries: exactly one renewal for each, and no revocation [AUTH-100]`,
  async () => {
    await using scene = await stage();
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
  await using scene = await stage();
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
  await using scene = await stage();
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
  await using scene = await stage();
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
