import { execFileSync } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Quire, type QuireOptions } from '@quire/agent';
import type { Simulator } from '@quire/simulator';

/** A home and a git repository of their own, and a program that talks to the simulator. */
export interface Workspace extends AsyncDisposable {
  readonly home: string;
  readonly repository: string;
  quire(simulator: Simulator, options?: QuireOptions): Quire;
}

export async function createWorkspace(): Promise<Workspace> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'quire-agent-')));
  const home = join(folder, 'home');
  const repository = join(folder, 'repository');
  execFileSync('mkdir', [home]);
  execFileSync('git', ['init', '--quiet', repository]);
  return {
    home,
    repository,
    quire: (simulator, options = {}) =>
      new Quire({
        home,
        environment: { PATH: process.env['PATH'], HOME: home },
        configOverrides: [
          `model_providers.test={name="Test",base_url="${simulator.url}"}`,
          'model_provider=test',
          'model=gpt-5.2-codex',
          ...(options.configOverrides ?? []),
        ],
        ...options,
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
