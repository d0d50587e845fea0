import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ThreadOptions } from '@quire/agent';
import type { JsonObject, ThreadEvent } from '@quire/protocol';
import { type RecordedRequest, type Rehearsal, rehearse, Simulator, type Step } from '@quire/simulator';
import { createWorkspace, type Workspace } from './workspace.ts';

export type Agent = Awaited<ReturnType<ReturnType<Workspace['quire']>['startThread']>>;

export interface Scene extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly simulator: Simulator;
  readonly options: ThreadOptions;
  readonly thread: Agent;
  quire(): ReturnType<Workspace['quire']>;
}

/** A thread that may start agents, and a provider that answers it and its agents by what they ask. */
export async function openScene(
  answer: (request: RecordedRequest) => Step | Promise<Step>,
  settings: readonly string[] = [],
): Promise<Scene> {
  const workspace = await createWorkspace();
  const rules: Rehearsal = rehearse(answer);
  const simulator = await Simulator.start({ rules });
  const options: ThreadOptions = { sandboxMode: 'danger-full-access', workingDirectory: workspace.repository };
  const quire = () =>
    workspace.quire(simulator, {
      configOverrides: [
        `model_providers.test={name="Test",base_url="${simulator.url}"}`,
        'model_provider=test',
        'model=gpt-5.2-codex',
        'features.multi_agent=true',
        ...settings,
      ],
    });
  const thread = await quire().startThread(options);
  return {
    workspace,
    simulator,
    options,
    thread,
    quire,
    [Symbol.asyncDispose]: async () => {
      await thread.close();
      await simulator.close();
      await workspace[Symbol.asyncDispose]();
    },
  };
}

export function isChild(request: RecordedRequest): boolean {
  return request.headers['x-openai-subagent'] === 'collab_spawn';
}

/** The texts of what persons and agents were told, context left out. */
export function userTexts(request: RecordedRequest): readonly string[] {
  return request.input.flatMap((item) => {
    if (item['type'] !== 'message' || item['role'] !== 'user') return [];
    return (item['content'] as readonly JsonObject[]).flatMap((part) => {
      const text = String(part['text']);
      return text.startsWith('<environment_context>') || text.startsWith('# AGENTS.md') ? [] : [text];
    });
  });
}

/** The output of a call as text; `undefined`: it is not in the request. */
export function outputText(request: RecordedRequest | undefined, callId: string): string | undefined {
  const found = request?.toolOutputs.find((output) => output.callId === callId);
  return found === undefined ? undefined : String(found.output);
}

export function outputJson(request: RecordedRequest | undefined, callId: string): JsonObject | undefined {
  const text = outputText(request, callId);
  return text === undefined ? undefined : (JSON.parse(text) as JsonObject);
}

export function spawnedId(request: RecordedRequest, callId = 'spawn'): string {
  return String(outputJson(request, callId)?.['agent_id']);
}

/** Runs a turn and gives back all that was announced. */
export async function runAll(thread: Agent, text: string, signal?: AbortSignal): Promise<readonly ThreadEvent[]> {
  const events: ThreadEvent[] = [];
  await thread.runPushed(text, { onEvent: (event) => events.push(event), ...(signal === undefined ? {} : { signal }) });
  return events;
}

export function outcomeOf(events: readonly ThreadEvent[]): unknown {
  const end = events.at(-1);
  return end?.kind === 'turn-end' ? end.outcome : undefined;
}

export function warningsOf(events: readonly ThreadEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
}

/** A promise and what fulfils it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** The header of each file in the home. */
export async function headers(home: string): Promise<readonly JsonObject[]> {
  const files = await readdir(join(home, 'sessions'), { recursive: true });
  const texts = await Promise.all(
    files.filter((name) => name.endsWith('.jsonl')).map((name) => readFile(join(home, 'sessions', name), 'utf8')),
  );
  return texts.map((text) => (JSON.parse(text.split('\n')[0] ?? '') as { payload: JsonObject }).payload);
}
