/** The process that renews is one that does not begin, or does not end. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { loginOf } from '../../src/credentials/auth-document.ts';
import { generationOf } from '../../src/refresh/generation.ts';
import { changeLockPath } from '../../src/refresh/lock-paths.ts';
import type { refreshElsewhere } from '../../src/refresh/refresh-elsewhere.ts';
import { lockLogin } from '../../src/storage/change-login.ts';
import { buildWorker, stageWorkers, storedTokens, type WorkerProgram, type WorkerScene } from '../support/workers.ts';

let program: WorkerProgram;
let refresh: typeof refreshElsewhere;
beforeAll(async () => {
  program = await buildWorker();
  const url = pathToFileURL(join(program.folder, 'elsewhere.mjs')).href;
  ({ refreshElsewhere: refresh } = (await import(url)) as { readonly refreshElsewhere: typeof refreshElsewhere });
});
afterAll(() => program[Symbol.asyncDispose]());

/** A module that never comes to its end, as NODE_OPTIONS has a process load before anything else. */
const NEVER_BEGINS = '--import=data:text/javascript,await/**/new/**/Promise(()=>setInterval(()=>{},1000))';

async function orderOf({ home }: WorkerScene) {
  const login = loginOf((await home.json()) as Parameters<typeof loginOf>[0], { name: 'a', remedy: 'b' });
  if (login?.kind !== 'chatgpt') throw new Error('no login');
  const accountId = login.accountId ?? null;
  return { home: home.path, storeKind: 'file', generation: generationOf(login), accountId, client: null } as const;
}

function environmentOf({ sim }: WorkerScene, nodeOptions?: string): Readonly<Record<string, string>> {
  const url = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/token` };
  return nodeOptions === undefined ? url : { ...url, NODE_OPTIONS: nodeOptions };
}

/** Processes that this one has started to renew a login. */
function renewers(): readonly string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'ppid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  const own = new RegExp(`^\\s*${process.pid}\\s+[^Z\\s]`);
  return lines.filter((line) => own.test(line) && line.includes('runRefreshProgram'));
}

test('one that does not begin is killed in time, and nothing was sent [AUTH-133]', async () => {
  await using scene = await stageWorkers(program);
  const environment = environmentOf(scene, NEVER_BEGINS);
  expect(await refresh(await orderOf(scene), { environment, readyWithinMs: 500 })).toBeUndefined();
  expect([renewers(), scene.sim.oauth.refreshes]).toEqual([[], []]);
});

test('one that is not done in time is waited for no longer, goes on, and stores what it gets [AUTH-133]', async () => {
  await using scene = await stageWorkers(program);
  const before = await storedTokens(scene.home);
  const hold = scene.sim.oauth.holdNext('token');
  const outcome = await refresh(await orderOf(scene), { environment: environmentOf(scene), doneWithinMs: 20 });
  expect(outcome).toEqual({
    kind: 'failed',
    failure: {
      kind: 'transient',
      code: 'connection-failed',
      message: 'the login could not be renewed: the process that did so was ended',
      retryable: true,
    },
  });
  await hold.arrived;
  const lock = lockLogin(changeLockPath(scene.home.path), { waitMs: 20_000 });
  hold.release();
  await (await lock)[Symbol.asyncDispose]();
  const after = await storedTokens(scene.home);
  expect([after.refreshToken === before.refreshToken, scene.sim.oauth.accepts(after.accessToken)]).toEqual([
    false,
    true,
  ]);
  await vi.waitFor(() => expect(renewers()).toEqual([]), { timeout: 10_000 });
});

test.each([
  '--inspect-brk=127.0.0.1:0',
  '--no-warnings --inspect-wait=0 --inspect-port 0 --inspect-publish-uid=stderr --no-deprecation',
])('it waits for no debugger, though this process does: %s [AUTH-133]', async (nodeOptions) => {
  await using scene = await stageWorkers(program);
  const before = await storedTokens(scene.home);
  const outcome = await refresh(await orderOf(scene), { environment: environmentOf(scene, nodeOptions) });
  expect(outcome).toEqual({ kind: 'refreshed' });
  expect((await storedTokens(scene.home)).refreshToken).not.toBe(before.refreshToken);
});
