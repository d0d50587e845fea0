/** Processes that use one stored login, and a server that revokes it when a refresh token comes twice. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ACCOUNTS, type IssuedTokens, Simulator } from '@quire/simulator';
import { build } from 'esbuild';
import { createHome, type Home, stored } from './home.ts';
import type { Task } from './worker.ts';

export const LIFETIME_MS = 3600_000;

/** The program of the processes, in a folder of its own. */
export interface WorkerProgram extends AsyncDisposable {
  readonly folder: string;
}

export async function buildWorker(): Promise<WorkerProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'quire-auth-workers-'));
  await build({
    absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
    entryPoints: {
      worker: fileURLToPath(new URL('./worker.ts', import.meta.url)),
      elsewhere: fileURLToPath(new URL('../../src/refresh/refresh-elsewhere.ts', import.meta.url)),
    },
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
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

type Environment = Readonly<Record<string, string>>;

interface Answer {
  readonly kind: 'ready' | 'token' | 'failed' | 'log';
  readonly token?: string;
  readonly message?: string;
  readonly record?: { readonly kind: string; readonly by?: string; readonly message?: string };
}

/** A process that uses the login. */
export class Worker {
  readonly child: ChildProcess;
  readonly logs: NonNullable<Answer['record']>[] = [];
  #settle: (answer: Answer) => void = () => undefined;
  readonly ready: Promise<Answer>;
  /** Resolves when it has ended, however. */
  readonly gone: Promise<unknown>;

  constructor(program: WorkerProgram, home: Home, environment: Environment) {
    this.child = fork(join(program.folder, 'worker.mjs'), [home.path], {
      env: { PATH: process.env['PATH'], ...environment },
      execArgv: [],
      // A group of its own, so that everything that belongs to it can be killed at once.
      detached: true,
    });
    this.gone = once(this.child, 'exit');
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

export interface WorkerScene extends AsyncDisposable {
  readonly sim: Simulator;
  readonly home: Home;
  readonly workers: Worker[];
  /** By the clock of server and workers. */
  nowMs: number;
  start(count: number, environment?: Environment): Promise<readonly Worker[]>;
}

export async function stageWorkers(program: WorkerProgram): Promise<WorkerScene> {
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
    start: async (count: number, environment: Environment = {}) => {
      const all = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/token`, ...environment };
      const more = Array.from({ length: count }, () => new Worker(program, home, all));
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

export const storedTokens = async (home: Home): Promise<IssuedTokens> => {
  const tokens = (await home.json())['tokens'] as Record<string, string>;
  return {
    idToken: tokens['id_token'] ?? '',
    accessToken: tokens['access_token'] ?? '',
    refreshToken: tokens['refresh_token'] ?? '',
  };
};
