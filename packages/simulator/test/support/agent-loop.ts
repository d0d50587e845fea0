import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';
import type { DemoProject, Simulator } from '../../src/index.ts';
import { bodyWith, itemsOf, post, userMessage } from './client.ts';

/** A folder with a project in it. */
export class Workplace implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(files: DemoProject['files']): Promise<Workplace> {
    const workplace = new Workplace(await mkdtemp(join(tmpdir(), 'quire-simulator-')));
    for (const file of files) {
      await mkdir(dirname(join(workplace.root, file.path)), { recursive: true });
      await writeFile(join(workplace.root, file.path), file.content);
    }
    return workplace;
  }

  async read(files: DemoProject['files']): Promise<DemoProject['files']> {
    return Promise.all(
      files.map(async ({ path }) => ({ path, content: await readFile(join(this.root, path), 'utf8') })),
    );
  }

  shell(command: string): Promise<string> {
    // A test runner in the environment would make the inner `node --test` report to it instead.
    const { NODE_TEST_CONTEXT: _unused, ...env } = process.env;
    return new Promise((resolve) => {
      execFile('bash', ['-c', command], { cwd: this.root, env, timeout: 60_000 }, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve(`Exit code: ${exitCode}\nWall time: 0.1 seconds\nOutput:\n${stdout}${stderr}`);
      });
    });
  }

  /** Applies a one-file, one-chunk update: what the rehearsal writes. */
  async patch(patch: string): Promise<string> {
    const lines = patch.split('\n');
    const path = (lines[1] ?? '').replace('*** Update File: ', '');
    const chunk = lines.slice(3, -1);
    const old = chunk.filter((line) => !line.startsWith('+')).map((line) => `${line.slice(1)}\n`);
    const fresh = chunk.filter((line) => !line.startsWith('-')).map((line) => `${line.slice(1)}\n`);
    const text = await readFile(join(this.root, path), 'utf8');
    if (!text.includes(old.join(''))) {
      return `apply_patch verification failed: Failed to find expected lines in ${path}:\n${old.join('')}`;
    }
    await writeFile(
      join(this.root, path),
      text.replace(old.join(''), () => fresh.join('')),
    );
    return `Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nM ${path}\n`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

const FREEFORM_PATCH = { type: 'custom', name: 'apply_patch', description: '', format: { type: 'text' } };
const FUNCTION_PATCH = functionTool('apply_patch');

export const TOOLS = {
  freeform: [functionTool('shell_command'), FREEFORM_PATCH, functionTool('update_plan')],
  function: [functionTool('shell_command'), FUNCTION_PATCH],
} as const;

function functionTool(name: string): JsonObject {
  return { type: 'function', name, description: '', strict: false, parameters: { type: 'object', properties: {} } };
}

export interface LoopOptions {
  readonly workplace: Workplace;
  readonly tools: readonly JsonObject[];
  /** Stands in for a tool: what it returns is the output; `undefined` lets the tool run. */
  readonly intercept?: (call: JsonObject) => string | undefined;
  /** Stops after so many requests. */
  readonly maxRequests?: number;
  /** Stops once a call for which it holds has run. */
  readonly until?: (call: JsonObject) => boolean;
}

/** A minimal agent: sends the input, runs the calls it gets, until an answer has none. Returns the whole history. */
export async function runLoop(
  sim: Simulator,
  input: readonly JsonObject[],
  options: LoopOptions,
): Promise<readonly JsonObject[]> {
  const history = [...input];
  for (let count = 0; count < (options.maxRequests ?? 200); count += 1) {
    const items = itemsOf(await post(sim, bodyWith({ input: history, tools: options.tools })));
    history.push(...items);
    const calls = items.filter((item) => item['call_id'] !== undefined);
    for (const call of calls) history.push(await runCall(call, options));
    if (calls.length === 0 || calls.some((call) => options.until?.(call) === true)) break;
  }
  return history;
}

async function runCall(call: JsonObject, options: LoopOptions): Promise<JsonObject> {
  const type = call['type'] === 'custom_tool_call' ? 'custom_tool_call_output' : 'function_call_output';
  const output = options.intercept?.(call) ?? (await runTool(call, options.workplace));
  return { type, call_id: call['call_id'] ?? '', output };
}

async function runTool(call: JsonObject, workplace: Workplace): Promise<string> {
  if (call['type'] === 'custom_tool_call') return workplace.patch(stringAt(call, 'input') ?? '');
  const args: unknown = JSON.parse(stringAt(call, 'arguments') ?? '{}');
  if (!isJsonObject(args)) return 'arguments are no object';
  switch (call['name']) {
    case 'shell_command':
      return workplace.shell(stringAt(args, 'command') ?? '');
    case 'apply_patch':
      return workplace.patch(stringAt(args, 'input') ?? '');
    case 'update_plan':
      return 'Plan updated';
    default:
      return `unsupported call: ${String(call['name'])}`;
  }
}

/** The text of the last assistant message. */
export function lastWords(history: readonly JsonObject[]): string {
  const message = history.findLast((item) => item['type'] === 'message' && item['role'] === 'assistant');
  const content = message?.['content'];
  return Array.isArray(content)
    ? content.map((part) => (isJsonObject(part) ? stringAt(part, 'text') : '')).join('')
    : '';
}

export function asPrompt(words: string): readonly JsonObject[] {
  return [userMessage('<environment_context>\n  <cwd>/somewhere</cwd>\n</environment_context>'), userMessage(words)];
}
