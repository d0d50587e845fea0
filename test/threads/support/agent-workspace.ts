import { execFileSync } from 'node:child_process';
import { Quire } from '@quire/agent';
import type { Simulator } from '@quire/simulator';
import { createWorkspace, type Workspace } from '../../support/workspace.ts';

export interface AgentWorkspace extends Workspace {
  quire(simulator: Simulator, overrides?: readonly string[]): Quire;
}

/** A home, a git repository, and a program that talks to the simulator without patience. */
export async function createAgentWorkspace(): Promise<AgentWorkspace> {
  const workspace = await createWorkspace();
  const { home, project } = workspace;
  execFileSync('git', ['init', '--quiet', project]);
  return {
    ...workspace,
    quire: (simulator, overrides = []) =>
      new Quire({
        home,
        environment: { PATH: process.env['PATH'], HOME: home },
        configOverrides: [
          `model_providers.test={name="Test",base_url="${simulator.url}",request_max_retries=0,stream_max_retries=1}`,
          'model_provider=test',
          'model=gpt-5.2-codex',
          ...overrides,
        ],
      }),
  };
}
