import { mkdir, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '@quire/protocol';

/** A home folder and a project folder of their own; removed when the test leaves its block. */
export interface Workspace extends AsyncDisposable {
  readonly root: string;
  readonly home: string;
  readonly project: string;
}

export async function createWorkspace(options: { readonly projectName?: string } = {}): Promise<Workspace> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'quire-faults-')));
  const home = join(root, 'home');
  const project = join(root, options.projectName ?? 'project');
  await Promise.all([mkdir(home), mkdir(project)]);
  return {
    root,
    home,
    project,
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Absolute paths of all rollouts of a home folder. */
export async function rolloutPaths(home: string): Promise<readonly string[]> {
  const sessions = join(home, 'sessions');
  const names = await readdir(sessions, { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.jsonl')).map((name) => join(sessions, name));
}

/** The one rollout of a home folder. */
export async function onlyRollout(home: string): Promise<string> {
  const paths = await rolloutPaths(home);
  const [path] = paths;
  if (path === undefined || paths.length > 1) throw new Error(`expected one rollout, found ${paths.length}`);
  return path;
}

/**
 * The objects of a rollout's lines. A line that is not a JSON object throws, but for a last one without a line end,
 * which is what a process that was killed while it wrote leaves behind.
 */
export async function readRolloutLines(path: string): Promise<readonly JsonObject[]> {
  const whole = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  return whole.map((text, index) => {
    const line: unknown = JSON.parse(text);
    if (!isJsonObject(line)) throw new Error(`${path}:${index + 1} is no JSON object`);
    return line;
  });
}

/** Payloads of the history items of a rollout, in the order of the file. */
export async function rolloutItems(path: string): Promise<readonly JsonObject[]> {
  const lines = await readRolloutLines(path);
  return lines.flatMap(({ type, payload }) => (type === 'response_item' && isJsonObject(payload) ? [payload] : []));
}
