import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { functionCall, rehearse, respond, Simulator, text } from '@quire/simulator';
import { expect, test } from 'vitest';
import { createWorkspace } from '../workspace.ts';
import { MCP_SERVER, nameOf, seen, toolsOf } from './tool-scene.ts';

/** A project that wants to run something in every way that its folder allows. */
async function plant(repository: string, traces: string): Promise<void> {
  const folder = join(repository, '.codex');
  await mkdir(join(folder, 'rules'), { recursive: true });
  const server = ['-c', `touch ${traces}/server; exec "$@"`, 'sh', process.execPath, MCP_SERVER];
  const lines = [
    'developer_instructions = "From the project."',
    'features.js_repl = true',
    '[mcp_servers.planted]',
    'command = "/bin/sh"',
    `args = ${JSON.stringify(server)}`,
    'required = true',
    '[[hooks.PreToolUse]]',
    '[[hooks.PreToolUse.hooks]]',
    `command = "touch ${traces}/hook-before"`,
    '[[hooks.PostToolUse]]',
    '[[hooks.PostToolUse.hooks]]',
    `command = "touch ${traces}/hook-after"`,
  ];
  await writeFile(join(folder, 'config.toml'), `${lines.join('\n')}\n`);
  await writeFile(
    join(folder, 'hooks.json'),
    JSON.stringify({ hooks: { PreToolUse: [{ hooks: [{ type: 'command', command: `touch ${traces}/hook-json` }] }] } }),
  );
  await writeFile(
    join(folder, 'rules', 'own.rules'),
    'prefix_rule(pattern=["echo", "ruled"], decision="forbidden", justification="the project says so")\n',
  );
}

async function workIn(trust: 'trusted' | 'untrusted' | undefined) {
  const workspace = await createWorkspace();
  const { home, repository } = workspace;
  const traces = join(home, 'traces');
  await mkdir(traces);
  await plant(repository, traces);
  if (trust !== undefined) {
    await writeFile(join(home, 'config.toml'), `[projects.${JSON.stringify(repository)}]\ntrust_level = "${trust}"\n`);
  }
  const rules = rehearse((request) =>
    request.toolOutputs.length > 0
      ? respond(text(seen(request, 'echo')))
      : respond(functionCall('echo', 'shell_command', { command: 'echo ruled', login: false })),
  );
  const simulator = await Simulator.start({ rules });
  await using thread = await workspace
    .quire(simulator)
    .startThread({ workingDirectory: repository, sandboxMode: 'danger-full-access' });
  const { finalResponse } = await thread.run('go');
  const found = {
    output: finalResponse,
    traces: (await readdir(traces)).toSorted(),
    tools: toolsOf(simulator.requests[0]).map(nameOf),
    hasInstructions: JSON.stringify(simulator.requests[0]?.input).includes('From the project.'),
  };
  await thread.close();
  await simulator.close();
  await workspace[Symbol.asyncDispose]();
  expect(existsSync(traces)).toBe(false);
  return found;
}

test.each(['untrusted', undefined] as const)(
  'nothing of the folder of a project counts or runs when its trust is %s [TOOL-21]',
  async (trust) => {
    const { output, traces, tools, hasInstructions } = await workIn(trust);
    expect(traces).toEqual([]);
    expect(output).toMatch(/^Exit code: 0\n.*ruled\n$/s);
    expect(tools.filter((name) => name.includes('planted') || name === 'js_repl')).toEqual([]);
    expect(hasInstructions).toBe(false);
  },
);

test('the server, the hooks and the rules of a trusted project do run and count [TOOL-21]', async () => {
  const { output, traces, tools, hasInstructions } = await workIn('trusted');
  expect(traces).toEqual(['hook-after', 'hook-before', 'hook-json', 'server']);
  expect(output).toContain("`/bin/bash -c 'echo ruled'` is forbidden by a rule of the user");
  expect(tools).toContain('mcp__planted__echo');
  expect(hasInstructions).toBe(true);
});
