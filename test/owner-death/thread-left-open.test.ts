import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxMode } from '@quire/protocol';
import { functionCall, respond, Simulator, text } from '@quire/simulator';
import { expect, test } from 'vitest';
import { bundleEmbeddingProgram, runEmbedded } from '../../packages/agent/test/tools/run-embedded.ts';
import { eventually, markedProcesses } from '../support/processes.ts';
import { createWorkspace } from '../support/workspace.ts';

/** Everything that an owner started is gone by then. */
const GONE_MS = 2_000;

const CASES: readonly (readonly [string, { readonly tty: boolean; readonly sandboxMode: SandboxMode }])[] = [
  ['on pipes', { tty: false, sandboxMode: 'danger-full-access' }],
  ['on a terminal', { tty: true, sandboxMode: 'danger-full-access' }],
  ['on pipes in the sandbox', { tty: false, sandboxMode: 'workspace-write' }],
  ['on a terminal in the sandbox', { tty: true, sandboxMode: 'workspace-write' }],
];

test.each(CASES)(
  'a program that never closes its thread ends, and so does the session %s in it [CMD-44]',
  async (_, { tty, sandboxMode }) => {
    const mark = `9${Math.floor(Math.random() * 1e12)}`;
    const cmd = `echo started; exec sleep ${mark}`;
    await using program = await bundleEmbeddingProgram();
    await using workspace = await createWorkspace();
    const { home, project } = workspace;
    await mkdir(join(project, '.git'));
    await writeFile(join(project, '.git', 'HEAD'), 'ref: refs/heads/main\n');
    await using simulator = await Simulator.start({
      acceptsAnyClient: true,
      steps: [
        respond(functionCall('call', 'exec_command', { cmd, tty, login: false, yield_time_ms: 250 })),
        respond(text('Done.')),
      ],
    });
    const configOverrides = [
      `model_providers.test={name="Test",base_url="${simulator.url}"}`,
      'model_provider=test',
      'model=gpt-5.2-codex',
      'approval_policy=never',
      'sandbox_workspace_write.exclude_slash_tmp=true',
      'sandbox_workspace_write.exclude_tmpdir_env_var=true',
    ];
    const owner = runEmbedded(program, {
      home,
      workingDirectory: project,
      sandboxMode,
      configOverrides,
      leavesOpen: true,
    });
    let printed = '';
    owner.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    const [code] = await once(owner, 'close');
    expect([code, printed]).toEqual([0, expect.stringContaining('"kind":"completed","lastAgentMessage":"Done."')]);
    expect(await eventually(() => markedProcesses(mark).length === 0, GONE_MS)).toBe(true);
    const outputs = JSON.stringify(simulator.requests.at(-1)?.body['input']);
    expect(outputs).toMatch(/session ID \d+/);
  },
);
