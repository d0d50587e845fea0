import { readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentThread, Quire } from '@quire/agent';
import { functionCall, rehearse, respond, Simulator, text } from '@quire/simulator';
import { expect, test } from 'vitest';
import { eventually, processesWith, uniqueSeconds } from '../../../host/test/support/processes.ts';
import { createWorkspace, type Workspace } from '../workspace.ts';
import { MCP_SERVER, nameOf, openToolScene, outcomeOf, seen, toolsOf } from './tool-scene.ts';

/** A server that starts when a file is there; `mark` is among its arguments. */
function gatedToml(gate: string, mark: string): string {
  const wait = 'until [ -e "$1" ]; do sleep 0.02; done; shift; exec "$@"';
  const args = ['-c', wait, 'sh', gate, process.execPath, MCP_SERVER, 'none', '', mark];
  return `[mcp_servers.late]\ncommand = "/bin/sh"\nargs = ${JSON.stringify(args)}\n`;
}

/** A server whose start never ends by itself. */
function muteToml(mark: string): string {
  const args = JSON.stringify([MCP_SERVER, 'never-answers', '', mark]);
  return `[mcp_servers.mute]\ncommand = ${JSON.stringify(process.execPath)}\nargs = ${args}\nstartup_timeout_sec = 3600\n`;
}

const isServed = (request: Parameters<typeof toolsOf>[0]): boolean =>
  toolsOf(request).some((spec) => nameOf(spec).startsWith('mcp__late__'));

test('a server that becomes ready in the middle of a turn is offered with the next request, and can be called [TOOL-17]', async () => {
  const mark = uniqueSeconds();
  await using folder = await createWorkspace();
  const gate = join(folder.home, 'gate');
  await using scene = await openToolScene({
    toml: gatedToml(gate, mark),
    config: ['mcp_servers.late.default_tools_approval_mode="approve"'],
    mayChangeTools: true,
  });
  let looks = 0;
  let isCalled = false;
  const { requests, outputOf, events } = await scene.play(
    Array.from({ length: 400 }, () => (request) => {
      if (isCalled) return [text('Done.')];
      if (isServed(request)) {
        isCalled = true;
        return [functionCall('late', 'mcp__late__echo', { a: 1 })];
      }
      looks += 1;
      if (looks === 2) writeFileSync(gate, '');
      return [functionCall(`look-${looks}`, 'shell_command', { command: 'sleep 0.05', login: false })];
    }),
  );
  expect(outcomeOf(events)).toMatchObject({ kind: 'completed' });
  expect(outputOf('late')).toBe(JSON.stringify([{ type: 'text', text: '{"a":1}' }]));
  const served = requests.map(isServed);
  expect([served[0], served[1], served.at(-1)]).toEqual([false, false, true]);
  expect(served.lastIndexOf(false)).toBeLessThan(served.indexOf(true));
  const before = requests.filter((request) => !isServed(request)).map(({ body }) => JSON.stringify(body['tools']));
  expect(new Set(before).size).toBe(1);
});

test('a server that never answers delays neither the first request, nor the end of a turn, nor the close [TOOL-18]', async () => {
  const mark = uniqueSeconds();
  await using scene = await openToolScene({ toml: muteToml(mark) });
  // Its start would take an hour, so whoever waited for it would never be done.
  const { events, requests } = await scene.play([
    () => [functionCall('list', 'list_mcp_resource_templates', { cursor: 5 })],
  ]);
  expect(outcomeOf(events)).toMatchObject({ kind: 'completed' });
  expect(requests).toHaveLength(2);
  expect(events.filter(({ kind }) => kind === 'warning')).toEqual([]);
  expect(await eventually(() => processesWith(mark).length === 1, { withinMs: 10_000 })).toBe(true);
  await scene.thread.close();
  expect(processesWith(mark)).toEqual([]);
});

test('a call that asks a server that never answers ends with the interrupt [TOOL-18]', async () => {
  const mark = uniqueSeconds();
  await using scene = await openToolScene({ toml: muteToml(mark) });
  const controller = new AbortController();
  const { events, outputOf } = await scene.play([() => [functionCall('list', 'list_mcp_resources', {})]], {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.kind === 'item-start' && event.item.id === 'list') controller.abort(new Error('enough'));
    },
  });
  expect(outcomeOf(events)).toMatchObject({ kind: 'interrupted' });
  expect(outputOf('list')).toMatch(/^Wall time: \d+\.\d seconds\naborted by user$/);
});

interface Crowd extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly quire: Quire;
}

async function openCrowd(toml: string): Promise<Crowd> {
  const workspace = await createWorkspace();
  const rules = rehearse((request) => {
    if (request.toolOutputs.length > 0) return respond(text(seen(request, 'echo')));
    return respond(functionCall('echo', 'mcp__shared__echo', { a: 1 }));
  });
  const simulator = await Simulator.start({ rules });
  await writeFile(join(workspace.home, 'config.toml'), toml);
  return {
    workspace,
    quire: workspace.quire(simulator),
    [Symbol.asyncDispose]: async () => {
      await simulator.close();
      await workspace[Symbol.asyncDispose]();
    },
  };
}

test('fifty threads share one server process, which is gone after the last of them [TOOL-19]', async () => {
  const mark = uniqueSeconds();
  await using folder = await createWorkspace();
  const starts = join(folder.home, 'starts');
  const args = JSON.stringify([MCP_SERVER, 'none', starts, mark]);
  await using crowd = await openCrowd(
    `approval_policy = "never"\nsandbox_mode = "danger-full-access"\n[mcp_servers.shared]\ncommand = ${JSON.stringify(process.execPath)}\nargs = ${args}\nrequired = true\n`,
  );
  const options = { workingDirectory: crowd.workspace.repository, ephemeral: true };
  const threads: AgentThread[] = [];
  for (let count = 0; count < 50; count += 1) threads.push(await crowd.quire.startThread(options));
  const results = await Promise.all(threads.map((thread) => thread.run('go')));
  expect(new Set(results.map(({ finalResponse }) => finalResponse))).toEqual(
    new Set([JSON.stringify([{ type: 'text', text: '{"a":1}' }])]),
  );
  expect(readFileSync(starts, 'utf8').trimEnd().split('\n')).toHaveLength(1);
  const [server] = processesWith(mark);
  expect(processesWith(mark)).toHaveLength(1);
  const [last, ...others] = threads;
  await Promise.all(others.map((thread) => thread.close()));
  expect(processesWith(mark)).toEqual([server]);
  await last?.close();
  expect(processesWith(mark)).toEqual([]);
});

test('a thread that can not be opened leaves no server behind, and says what is wrong [TOOL-20]', async () => {
  const mark = uniqueSeconds();
  const args = JSON.stringify([MCP_SERVER, 'none', '', mark]);
  await using crowd = await openCrowd(
    `[mcp_servers.shared]\ncommand = ${JSON.stringify(process.execPath)}\nargs = ${args}\nrequired = true\n`,
  );
  const tool = { name: 'shell', description: '', inputSchema: { type: 'object' }, run: () => Promise.resolve('') };
  const opening = crowd.quire.startThread({ workingDirectory: crowd.workspace.repository, tools: [tool] });
  await expect(opening).rejects.toMatchObject({
    name: 'AgentError',
    code: 'invalid-argument',
    message: 'dynamic tool "shell": the name belongs to a built-in tool or to a server; choose another',
  });
  // Whoever opens the next thread and closes it again is the last one to use the server.
  await using next = await crowd.quire.startThread({ workingDirectory: crowd.workspace.repository });
  await next.run('go');
  expect(processesWith(mark)).toHaveLength(1);
  await next.close();
  expect(processesWith(mark)).toEqual([]);
});
