import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ThreadEvent } from '@quire/protocol';
import { functionCall, rehearse, respond, Simulator, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../host/test/support/processes.ts';
import { createWorkspace } from '../workspace.ts';
import { bundleEmbeddingProgram, runEmbedded } from './run-embedded.ts';
import { openToolScene, outcomeOf, type SceneOptions, seen, type ToolScene } from './tool-scene.ts';

/** Nothing but the project may be written to. */
const PROJECT_ONLY: SceneOptions = {
  approvalPolicy: 'on-request',
  sandboxMode: 'workspace-write',
  config: ['sandbox_workspace_write.exclude_slash_tmp=true'],
};

let calls = 0;

async function run(scene: ToolScene, command: string, more: Readonly<Record<string, string>> = {}) {
  calls += 1;
  const id = `command-${calls}`;
  const { outputOf, events } = await scene.play([
    () => [functionCall(id, 'shell_command', { command, login: false, ...more })],
  ]);
  expect(outcomeOf(events)).toMatchObject({ kind: 'completed' });
  return outputOf(id) ?? '';
}

describe('in the mode workspace-write', () => {
  test('a command writes in the project, and neither outside of it nor in .git, and nobody is asked [TOOL-30]', async () => {
    await using scene = await openToolScene(PROJECT_ONLY);
    const outside = join(scene.home, 'outside');
    expect(await run(scene, 'echo kept > inside && cat inside')).toMatch(/^Exit code: 0\n.*kept\n$/s);
    for (const target of [
      outside,
      '.git/config',
      '.git/hooks/pre-commit',
      '.codex/config.toml',
      '../beside',
      '/tmp/x',
    ]) {
      const before = existsSync(join(scene.repository, '.git/config'));
      expect(await run(scene, `echo x >> ${target}`), target).toMatch(/^Exit code: [1-9]/);
      expect(before).toBe(true);
    }
    expect(existsSync(outside)).toBe(false);
    expect(readFileSync(join(scene.repository, '.git/config'), 'utf8')).not.toContain('x\n');
    expect(existsSync(join(scene.repository, '.git/hooks/pre-commit'))).toBe(false);
    // Folders that keep something from coming into being go soon after the last command.
    const entries = (): readonly string[] => readdirSync(scene.repository).toSorted();
    await eventually(() => entries().length === 2, { withinMs: 10_000 });
    expect(entries()).toEqual(['.git', 'inside']);
    expect(scene.asked.approvals).toEqual([]);
  });

  test('a command reaches no network, and does when the settings let it [TOOL-31]', async () => {
    await using without = await openToolScene(PROJECT_ONLY);
    const reach = (scene: ToolScene): string => `echo hi > /dev/tcp/127.0.0.1/${scene.simulator.port} && echo reached`;
    const output = await run(without, `${reach(without)}; echo "[$CODEX_SANDBOX_NETWORK_DISABLED]"`);
    expect(output).not.toContain('reached');
    expect(output).toContain('[1]');
    const { config = [] } = PROJECT_ONLY;
    await using open = await openToolScene({
      ...PROJECT_ONLY,
      config: [...config, 'sandbox_workspace_write.network_access=true'],
    });
    // A greeting that is no request: what matters is that somebody listened.
    const other = await Simulator.start();
    expect(
      await run(open, `exec 3<>/dev/tcp/127.0.0.1/${other.port} && echo "reached [$CODEX_SANDBOX_NETWORK_DISABLED]"`),
    ).toContain('reached []');
    await other.stop();
  });

  test('what is to run without the sandbox is asked about, and runs without it when it is allowed [TOOL-32]', async () => {
    await using scene = await openToolScene(PROJECT_ONLY);
    const outside = join(scene.home, 'outside');
    const command = `echo let-out > ${outside}`;
    const escalated = { sandbox_permissions: 'require_escalated', justification: 'It is needed there.' };
    scene.behaviour.approve = () => ({ kind: 'denied' });
    expect(await run(scene, command, escalated)).toBe('exec command rejected by user');
    expect(existsSync(outside)).toBe(false);
    scene.behaviour.approve = () => ({ kind: 'approved' });
    expect(await run(scene, command, escalated)).toMatch(/^Exit code: 0\n/);
    expect(readFileSync(outside, 'utf8')).toBe('let-out\n');
    expect(scene.asked.approvals).toMatchObject(
      [0, 1].map(() => ({
        kind: 'command',
        argv: ['/bin/bash', '-c', command],
        cwd: scene.repository,
        unconfined: true,
        reason: 'It is needed there.',
      })),
    );
  });

  test('with the policy on-failure somebody is asked behind a denial, and the command runs once more [TOOL-33]', async () => {
    await using scene = await openToolScene({ ...PROJECT_ONLY, approvalPolicy: 'on-failure' });
    const outside = join(scene.home, 'outside');
    scene.behaviour.approve = () => ({ kind: 'denied' });
    expect(await run(scene, `echo x > ${outside}`)).toMatch(
      /^Exit code: 1\n.*(Read-only file system|Permission denied)/s,
    );
    expect(existsSync(outside)).toBe(false);
    scene.behaviour.approve = () => ({ kind: 'approved' });
    expect(await run(scene, `echo x > ${outside}`)).toMatch(/^Exit code: 0\n/);
    expect(readFileSync(outside, 'utf8')).toBe('x\n');
    expect(scene.asked.approvals).toMatchObject([{ unconfined: true }, { unconfined: true }]);
  });

  test('with the policy never the failing output comes back, and asking for more is refused [TOOL-34]', async () => {
    await using scene = await openToolScene({ ...PROJECT_ONLY, approvalPolicy: 'never' });
    const outside = join(scene.home, 'outside');
    expect(await run(scene, `echo x > ${outside}; echo still here; exit 3`)).toMatch(/^Exit code: 3\n.*still here\n/s);
    expect(await run(scene, `echo x > ${outside}`, { sandbox_permissions: 'require_escalated' })).toBe(
      'exec command rejected: approval policy is never: do not ask for escalated permissions; run the command without them',
    );
    expect([existsSync(outside), scene.asked.approvals]).toEqual([false, []]);
  });
});

test('two programs that work in one folder do not take each other’s sandboxes down [TOOL-37]', async () => {
  const options: SceneOptions = { ...PROJECT_ONLY, approvalPolicy: 'on-failure', toml: '' };
  await using one = await openToolScene(options);
  await using other = await openToolScene({ ...options, thread: { workingDirectory: one.repository } });
  const rounds = Array.from({ length: 60 }, (_, index) => index);
  const faults: string[] = [];
  await Promise.all(
    [one, other].map(async (scene) => {
      for (const round of rounds) {
        const output = await run(scene, `echo ${round}`);
        if (!output.startsWith('Exit code: 0')) faults.push(output);
      }
    }),
  );
  // A sandbox that could not be set up is no reason to offer to go without one.
  expect([faults, one.asked.approvals, other.asked.approvals]).toEqual([[], [], []]);
});

test('in the mode read-only nothing is written, not even in the project [TOOL-35]', async () => {
  await using scene = await openToolScene({ approvalPolicy: 'on-request', sandboxMode: 'read-only' });
  expect(await run(scene, 'echo x > inside; echo x > /tmp/quire-read-only')).toMatch(/^Exit code: 1\n/);
  expect(await run(scene, 'ls -a')).toMatch(/^Exit code: 0\n.*\.git\n$/s);
  expect(readdirSync(scene.repository)).toEqual(['.git']);
  expect(scene.asked.approvals).toEqual([]);
});

const canMask = (): boolean => {
  try {
    execFileSync('unshare', ['--user', '--map-root-user', '--mount', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

test.skipIf(!canMask())(
  'where no sandbox works a command to be confined is refused with what was tried, nothing runs and nobody is asked [TOOL-36]',
  async () => {
    await using program = await bundleEmbeddingProgram();
    await using workspace = await createWorkspace();
    const { home, repository } = workspace;
    const call = (id: string, command: string) => functionCall(id, 'shell_command', { command, login: false });
    const rules = rehearse((request) =>
      request.toolOutputs.length > 0 ? respond(text(seen(request, 'c'))) : respond(call('c', 'echo ran > trace')),
    );
    await using simulator = await Simulator.start({ rules });
    const mask = 'for p in /usr/bin/bwrap /usr/bin/perl; do [ -e $p ] && mount --bind /dev/null $p; done; exec "$@"';
    for (const policy of ['on-request', 'on-failure', 'untrusted']) {
      const order = {
        home,
        workingDirectory: repository,
        sandboxMode: 'workspace-write',
        configOverrides: [
          `model_providers.test={name="Test",base_url="${simulator.url}"}`,
          'model_provider=test',
          'model=gpt-5.2-codex',
          `approval_policy=${policy}`,
        ],
      } as const;
      const wrapper = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', mask, 'sh'];
      const child = runEmbedded(program, order, { wrapper });
      const lines = ((await child.stdout.setEncoding('utf8').toArray()) as string[]).join('').trim().split('\n');
      const events = lines.map((line) => JSON.parse(line) as ThreadEvent);
      const answer = events.flatMap((event) =>
        event.kind === 'item-end' && event.item.kind === 'agent-message' ? [event.item.text] : [],
      );
      expect(answer.join(''), policy).toMatch(/^execution error: .*sandbox.*(bwrap|bubblewrap).*perl/s);
      expect(answer.join('')).not.toMatch(/without (the|a) sandbox|danger-full-access/);
      expect(existsSync(join(repository, 'trace'))).toBe(false);
    }
  },
);
