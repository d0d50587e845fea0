import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SandboxMode } from '@quire/protocol';
import { customToolCall, functionCall, type Output, rehearse, respond, Simulator, stall } from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bundleEmbeddingProgram,
  type EmbeddingProgram,
  runEmbedded,
} from '../../packages/agent/test/tools/run-embedded.ts';
import { eventually, markedProcesses } from '../support/processes.ts';
import { createWorkspace } from '../support/workspace.ts';

/** Everything that an owner started is gone by then, however it died. */
const GONE_MS = 2_000;
const UP_MS = 15_000;
/** For who sweeps up, of which no time is promised. */
const SWEPT_MS = 10_000;

interface Scenario {
  readonly what: string;
  /** One call of the model; `mark` is among the arguments of every process to be looked for. */
  readonly call: (mark: string) => Output;
  /** Processes with the mark, beside shells that have it in their script. */
  readonly sleepers: number;
  readonly toml?: (mark: string) => string;
}

function shell(script: (mark: string) => string): Scenario['call'] {
  return (mark) => functionCall('call', 'shell_command', { command: script(mark), login: false, timeout_ms: 600_000 });
}

function terminal(script: (mark: string) => string): Scenario['call'] {
  return (mark) => functionCall('call', 'exec_command', { cmd: script(mark), login: false, tty: true });
}

const LOAD = `const { spawn } = (await import('node:module')).createRequire('/')('child_process');`;

const SCENARIOS: readonly Scenario[] = [
  { what: 'a command', call: shell((mark) => `sleep ${mark}`), sleepers: 1 },
  {
    what: 'a command of a login shell',
    call: (mark) => functionCall('call', 'shell_command', { command: `sleep ${mark}; true`, timeout_ms: 600_000 }),
    sleepers: 1,
  },
  { what: 'a session on a terminal', call: terminal((mark) => `sleep ${mark} & sleep ${mark}`), sleepers: 2 },
  {
    what: 'a session that left its terminal',
    call: terminal((mark) => `trap '' HUP; setsid sleep ${mark} & nohup sleep ${mark} >/dev/null & wait`),
    sleepers: 2,
  },
  { what: 'a pipeline', call: shell((mark) => `sleep ${mark} | sleep ${mark} | cat`), sleepers: 2 },
  {
    what: 'a daemon that forked twice',
    call: shell((mark) => `(setsid nohup sh -c '(sleep ${mark} &)' >/dev/null 2>&1 &); sleep ${mark}`),
    sleepers: 2,
  },
  {
    what: 'sessions of their own',
    call: shell((mark) => `setsid sleep ${mark} & setsid -f sleep ${mark}; wait`),
    sleepers: 2,
  },
  {
    what: 'a session of its own without an environment',
    call: shell((mark) => `setsid env -i /bin/sleep ${mark} & sleep ${mark}`),
    sleepers: 2,
  },
  {
    what: 'a daemon without an environment and without an output',
    call: shell((mark) => `(setsid env -i /bin/sleep ${mark} >/dev/null 2>&1 </dev/null &); sleep ${mark}`),
    sleepers: 2,
  },
  {
    what: 'a daemon of a shell that ended',
    call: shell((mark) => `(setsid env -i /bin/sleep ${mark} >/dev/null 2>&1 </dev/null &)`),
    sleepers: 1,
  },
  {
    what: 'a process that ignores signals',
    call: shell((mark) => `sh -c 'trap "" TERM INT HUP; sleep ${mark}; sleep ${mark}'; true`),
    sleepers: 1,
  },
  {
    what: 'a busy JavaScript kernel',
    call: (mark) => customToolCall('call', 'js_repl', `${LOAD} spawn('sleep', ['${mark}']); for (;;);`),
    sleepers: 1,
  },
  {
    what: 'what a JavaScript kernel started',
    call: (mark) =>
      customToolCall(
        'call',
        'js_repl',
        `${LOAD} spawn('setsid', ['sleep', '${mark}'], { detached: true }); spawn('sleep', ['${mark}'], { env: {} }); await new Promise(() => {});`,
      ),
    sleepers: 2,
  },
  {
    what: 'an MCP server and its helper',
    toml: (mark) => {
      const args = JSON.stringify(['-c', `setsid sleep ${mark} & exec sleep ${mark}`]);
      return `[mcp_servers.mute]\ncommand = "/bin/sh"\nargs = ${args}\nstartup_timeout_sec = 3600\n`;
    },
    call: shell((mark) => `sleep ${mark}`),
    sleepers: 3,
  },
  {
    what: 'a hook and what it started',
    toml: (mark) =>
      `[[hooks.PreToolUse]]\n[[hooks.PreToolUse.hooks]]\ncommand = "setsid sleep ${mark} & sleep ${mark}; true"\n`,
    call: shell((mark) => `: ${mark}`),
    sleepers: 2,
  },
];

let program: EmbeddingProgram;
beforeAll(async () => {
  program = await bundleEmbeddingProgram();
});
afterAll(() => program[Symbol.asyncDispose]());

const MODES: readonly (readonly [string, SandboxMode])[] = [
  ['without a sandbox', 'danger-full-access'],
  ['in the sandbox', 'workspace-write'],
];

/** Empty folders that stand where a confined command may put nothing: a killed owner leaves them, as documented. */
const PLACEHOLDERS = ['.agents', '.claude', '.codex', '.cursor', '.gemini', '.opencode', '.quire'];

describe.each(MODES)('%s, kill -9 of the embedding program', (_, sandboxMode) => {
  test.each(SCENARIOS)('ends $what and leaves nothing behind [TOOL-40, TOOL-41, TOOL-42]', (scenario) =>
    killDuring(scenario, sandboxMode),
  );
});

async function killDuring(scenario: Scenario, sandboxMode: SandboxMode): Promise<void> {
  const mark = `9${Math.floor(Math.random() * 1e12)}`;
  await using workspace = await createWorkspace();
  const { home, project, root } = workspace;
  const temporary = join(root, 'temporary');
  await mkdir(temporary);
  await mkdir(join(project, '.git'));
  await writeFile(join(project, '.git', 'HEAD'), 'ref: refs/heads/main\n');
  await writeFile(join(home, 'config.toml'), scenario.toml?.(mark) ?? '');
  const rules = rehearse(({ toolOutputs }) => (toolOutputs.length === 0 ? respond(scenario.call(mark)) : stall()));
  const simulator = await Simulator.start({ rules });
  const owner = runEmbedded(
    program,
    {
      home,
      workingDirectory: project,
      sandboxMode,
      configOverrides: [
        `model_providers.test={name="Test",base_url="${simulator.url}"}`,
        'model_provider=test',
        'model=gpt-5.2-codex',
        'approval_policy=never',
        'features.js_repl=true',
        'sandbox_workspace_write.exclude_slash_tmp=true',
        'sandbox_workspace_write.exclude_tmpdir_env_var=true',
      ],
    },
    { environment: { TMPDIR: temporary } },
  );
  const printed: string[] = [];
  createInterface({ input: owner.stdout }).on('line', (line) => printed.push(line));
  const sleepers = () =>
    markedProcesses(mark).filter(
      ({ command }) => command === `sleep\0${mark}\0` || command === `/bin/sleep\0${mark}\0`,
    );
  const isUp = await eventually(() => sleepers().length >= scenario.sleepers, UP_MS);
  const threadId = /"threadId":"([^"]+)"/.exec(printed[0] ?? '')?.[1] ?? 'none';

  const exited = once(owner, 'exit');
  owner.kill('SIGKILL');
  await exited;

  expect(isUp, printed.join('\n')).toBe(true);
  const survivors = () => [...markedProcesses(mark), ...markedProcesses(`CODEX_THREAD_ID=${threadId}`)];
  const isGone = await eventually(() => survivors().length === 0, GONE_MS);
  const left = survivors();
  for (const { pid } of left) process.kill(pid, 'SIGKILL');
  expect([isGone, left.map(({ command }) => command)]).toEqual([true, []]);
  // The last one to go is who sweeps up.
  const watchdogs = () => markedProcesses(temporary);
  expect(await eventually(() => watchdogs().length === 0, SWEPT_MS)).toBe(true);
  expect(await readdir(temporary)).toEqual([]);
  const placeholders = (await readdir(project)).filter((name) => PLACEHOLDERS.includes(name));
  expect((await readdir(project)).toSorted()).toEqual([...placeholders, '.git'].toSorted());
  for (const name of placeholders) expect(await readdir(join(project, name)), name).toEqual([]);
  expect(sandboxMode === 'danger-full-access' ? placeholders : []).toEqual([]);
  await simulator.stop();
}
