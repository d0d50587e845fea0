import { customToolCall, functionCall } from '@quire/simulator';
import { expect, test } from 'vitest';
import { openToolScene } from './tool-scene.ts';

test('configured hooks are told the model and the mode of the turn that runs [TOOL-22]', async () => {
  await using scene = await openToolScene();
  const call = (id: string) => [() => [functionCall(id, 'update_plan', { plan: [] })]];
  await scene.play(call('first'));
  await scene.play(call('second'), { overrides: { collaborationMode: { mode: 'plan' } } });
  const told = scene.hookPayloads().map((payload) => [payload['tool_use_id'], payload['permission_mode']]);
  expect(told).toEqual([
    ['first', 'default'],
    ['first', 'default'],
    ['second', 'plan'],
    ['second', 'plan'],
  ]);
  expect(scene.hookPayloads().map((payload) => payload['model'])).toEqual(Array(4).fill('gpt-5.2-codex'));
});

test('what a script calls passes the same hooks and approvals as what the model calls [TOOL-23]', async () => {
  await using scene = await openToolScene({ approvalPolicy: 'on-request', sandboxMode: 'danger-full-access' });
  const code = `const one = await codex.tool('shell_command', { command: 'rm -rf nothing', login: false });
    const two = await codex.tool('update_plan', { plan: [] });
    console.log([one, two].map(({ output }) => output).join('|'));`;
  scene.behaviour.approve = () => ({ kind: 'denied', reason: 'not today' });
  scene.behaviour.before = ({ tool }) =>
    tool === 'update_plan' ? { kind: 'deny', reason: 'no plans' } : { kind: 'go-on' };
  const { outputOf } = await scene.play([() => [customToolCall('cell', 'js_repl', code)]]);
  expect(outputOf('cell')).toBe('exec command rejected by user: not today|update_plan was denied by a hook: no plans');
  expect(scene.asked.approvals).toMatchObject([{ kind: 'command', argv: ['/bin/bash', '-c', 'rm -rf nothing'] }]);
  expect(scene.hooked.before.map(({ tool, callId }) => [tool, callId])).toEqual([
    ['js_repl', 'cell'],
    ['shell_command', 'cell.1'],
    ['update_plan', 'cell.2'],
  ]);
});

test('a patch inside of a command is denied by a hook for patches as well [TOOL-24]', async () => {
  await using scene = await openToolScene({
    toml: `[[hooks.PreToolUse]]\nmatcher = "apply_patch"\n[[hooks.PreToolUse.hooks]]\ncommand = "echo 'no patches' >&2; exit 2"\n`,
  });
  const patch = '*** Begin Patch\n*** Add File: made.txt\n+one\n*** End Patch';
  const { outputOf } = await scene.play([
    () => [customToolCall('direct', 'apply_patch', patch)],
    () => [functionCall('inside', 'shell_command', { command: `apply_patch <<'EOF'\n${patch}\nEOF`, login: false })],
  ]);
  expect(outputOf('direct')).toBe('apply_patch was denied by a hook: no patches');
  expect(outputOf('inside')).toBe('shell_command was denied by a hook: no patches');
});
