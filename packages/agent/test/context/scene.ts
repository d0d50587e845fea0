import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AgentThread, ForkOptions, Quire, QuireOptions, ThreadOptions } from '@quire/agent';
import type { JsonObject } from '@quire/protocol';
import {
  type RecordedRequest,
  type Rehearsal,
  rehearse,
  renderRequests,
  respond,
  Simulator,
  type SimulatorOptions,
  text,
} from '@quire/simulator';
import { createWorkspace } from '../workspace.ts';

export interface SceneOptions extends SimulatorOptions {
  /** As after `-c`, for every program of the scene. */
  readonly config?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Only the provider named OpenAI compacts by itself. */
  readonly providerName?: string;
  /** Further fields of the provider's table, such as `stream_max_retries=0`. */
  readonly provider?: string;
}

/** A workspace and a provider of its own; every request that breaks a rule of the API makes the test fail. */
export interface Scene extends AsyncDisposable {
  readonly home: string;
  readonly repository: string;
  readonly simulator: Simulator;
  readonly requests: readonly RecordedRequest[];
  quire(config?: readonly string[], options?: QuireOptions): Quire;
  start(options?: ThreadOptions, config?: readonly string[]): Promise<AgentThread>;
  resume(thread: AgentThread | string, options?: ThreadOptions, config?: readonly string[]): Promise<AgentThread>;
  fork(thread: AgentThread | string, options?: ForkOptions, config?: readonly string[]): Promise<AgentThread>;
  /** Paths are relative to the repository. */
  write(path: string, text: string): Promise<string>;
  /** What the model was sent, as text; items that the request before had are folded. */
  show(requests?: readonly RecordedRequest[], labels?: readonly string[]): string;
  /** A file below `sessions` of the home, written by hand. Gives back its path. */
  writeRollout(threadId: string, lines: readonly JsonObject[]): Promise<string>;
}

export const FULL_ACCESS = { sandboxMode: 'danger-full-access' } as const;
export const OTHER_MODEL = 'gpt-5.1-codex-max';

export async function createScene(options: SceneOptions = {}): Promise<Scene> {
  const { config = [], environment = {}, providerName = 'Test', provider, ...simulation } = options;
  const workspace = await createWorkspace();
  const simulator = await Simulator.start(simulation);
  const { home, repository } = workspace;
  const quire: Scene['quire'] = (more = [], rest = {}) =>
    workspace.quire(simulator, {
      environment: { PATH: process.env['PATH'], HOME: home, ...environment },
      configOverrides: [
        `model_providers.test={name="${providerName}",base_url="${simulator.url}"${provider === undefined ? '' : `,${provider}`}}`,
        'model_provider=test',
        ...config,
        ...more,
      ],
      ...rest,
    });
  const here = { workingDirectory: repository };
  const idOf = (thread: AgentThread | string): { kind: 'id'; id: string } => ({
    kind: 'id',
    id: typeof thread === 'string' ? thread : thread.facts.threadId,
  });
  return {
    home,
    repository,
    simulator,
    get requests() {
      return simulator.requests;
    },
    quire,
    start: (thread = {}, more) => quire(more).startThread({ ...here, ...thread }),
    resume: (target, thread = {}, more) => quire(more).resumeThread(idOf(target), { ...here, ...thread }),
    fork: (target, thread = {}, more) => quire(more).forkThread(idOf(target), { ...here, ...thread }),
    write: async (path, text) => {
      const file = join(repository, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      return file;
    },
    show: (requests = simulator.requests, labels = []) =>
      renderRequests(requests, { labels, sharedItems: 'fold', replace: { [repository]: '<repo>', [home]: '<home>' } }),
    writeRollout: async (threadId, lines) => {
      const file = join(home, 'sessions/2026/02/20', `rollout-2026-02-20T10-00-00-${threadId}.jsonl`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      return file;
    },
    [Symbol.asyncDispose]: async () => {
      try {
        await simulator[Symbol.asyncDispose]();
      } finally {
        await workspace[Symbol.asyncDispose]();
      }
    },
  };
}

/** Answers `Answer 0.`, `Answer 1.` …, by the index of the request. */
export function answersAll(): Rehearsal {
  return rehearse(({ index }) => respond(text(`Answer ${index}.`)));
}

/** The lines of a thread's file. */
export async function linesOf(thread: AgentThread | string): Promise<readonly JsonObject[]> {
  const path = typeof thread === 'string' ? thread : (thread.facts.rolloutPath ?? '');
  const text = await readFile(path, 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject);
}

/** Lines as `kind` or, for events and items, `kind of the payload`. */
export function kindsOf(lines: readonly JsonObject[]): readonly string[] {
  return lines.map(({ type, payload }) =>
    type === 'event_msg' || type === 'response_item' ? String((payload as JsonObject)['type']) : String(type),
  );
}

export function requestAt(scene: Pick<Scene, 'requests'>, index: number): RecordedRequest {
  const request = scene.requests.at(index);
  if (request === undefined) throw new Error(`there is no request ${index}, only ${scene.requests.length}`);
  return request;
}

export function lastRequest(scene: Pick<Scene, 'requests'>): RecordedRequest {
  return requestAt(scene, scene.requests.length - 1);
}

/** What `next` has beyond `previous`; throws unless it begins with all of it, byte for byte as it was sent. */
export function addedTo(
  previous: RecordedRequest,
  next: RecordedRequest,
  options: { readonly mayChangeModel?: boolean } = {},
): readonly JsonObject[] {
  const shared = JSON.stringify(previous.input).slice(0, -1);
  if (!next.rawBody.toString().includes(`"input":${shared}`)) {
    throw new Error(`request ${next.index} does not begin with the input of request ${previous.index}`);
  }
  for (const field of ['instructions', 'tools', 'model', 'prompt_cache_key']) {
    if (field === 'model' && options.mayChangeModel === true) continue;
    if (JSON.stringify(previous.body[field]) !== JSON.stringify(next.body[field])) {
      throw new Error(`request ${next.index} has another ${field} than request ${previous.index}`);
    }
  }
  return next.input.slice(previous.input.length);
}

/** Every text of an item, with its role in front. */
export function textsOf(item: JsonObject | undefined): readonly string[] {
  const content = item?.['content'];
  return Array.isArray(content) ? content.map((part) => String((part as JsonObject)['text'])) : [];
}

export function userText(text: string): JsonObject {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

/** Calls are told as `call NAME`, outputs as `output`, messages by role and the first words of each part. */
export function outlineOf(request: Pick<RecordedRequest, 'input'>): readonly string[] {
  return request.input.map((item) => {
    if (item['type'] !== 'message') return `${String(item['type'])} ${String(item['call_id'] ?? '')}`.trim();
    return `${String(item['role'])}: ${textsOf(item).map(headOf).join(' + ')}`;
  });
}

function headOf(text: string): string {
  const tag = /^<[a-z_ ]+>/.exec(text)?.[0];
  if (tag !== undefined) return tag;
  if (text.startsWith('# AGENTS.md')) return 'AGENTS.md';
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 40 ? `${line.slice(0, 40)}…` : line;
}

export function git(folder: string, ...args: readonly string[]): string {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.test', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', folder, ...identity, ...args], { encoding: 'utf8' }).trim();
}
