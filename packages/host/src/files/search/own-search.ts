import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { WorkspaceAnswer } from '@quire/core';
import { withinTime } from '../within-time.ts';
import { GlobError } from './glob.ts';
import { SearchGlob } from './ignore-rules.ts';
import { MATCHER, type MatcherAnswer, type MatcherOrder } from './matcher.ts';
import { NewestFiles } from './newest-files.ts';
import { type LinePattern, translatePattern } from './pattern.ts';
import { PatternError } from './pattern-class.ts';
import { type SearchOptions, type SearchQuery, timedOut } from './search-query.ts';
import { walkFiles } from './walk-files.ts';

const BATCH_FILES = 128;
/** What a pattern may need to be compiled and run. */
const MATCHER_MEMORY_MIB = 512;

/**
 * For machines without ripgrep: the same files, found in the same places, with the same meaning of the pattern. Files are
 * matched in a thread of their own, which is ended when the time is over: a pattern may backtrack for ever.
 */
export async function searchByOwnMeans(
  query: SearchQuery,
  options: SearchOptions,
): Promise<WorkspaceAnswer<readonly string[]>> {
  let pattern: LinePattern;
  let glob: SearchGlob | undefined;
  try {
    pattern = translatePattern(query.pattern);
    glob = query.include === undefined ? undefined : new SearchGlob(query.cwd, query.include);
  } catch (error) {
    if (error instanceof PatternError) return { kind: 'failed', reason: `regex parse error: ${error.message}` };
    if (error instanceof GlobError || error instanceof SyntaxError) {
      return { kind: 'failed', reason: `invalid glob in \`include\`: ${error.message}` };
    }
    throw error;
  }
  const worker = new Worker(MATCHER, {
    eval: true,
    workerData: pattern,
    resourceLimits: { maxOldGenerationSizeMb: MATCHER_MEMORY_MIB },
  });
  try {
    const matcher = new Matcher(worker);
    const answer = await withinTime((signal) => collect(matcher, query, { ...options, glob, signal }), options);
    return answer.kind === 'done' ? { kind: 'ok', value: answer.value } : timedOut(options.timeoutMs);
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', reason: `the search failed: ${reason}` };
  } finally {
    void worker.terminate();
  }
}

/** The next files are looked for while the last ones are matched. */
async function collect(
  matcher: Matcher,
  { path, cwd, limit }: SearchQuery,
  options: SearchOptions & { readonly glob: SearchGlob | undefined },
): Promise<readonly string[]> {
  const newest = new NewestFiles(limit);
  if ((await stat(path)).isFile()) {
    await newest.add(await matcher.match({ paths: [path], isAsked: true }));
    return newest.paths();
  }
  let batch: string[] = [];
  let pending: Promise<readonly string[]> = Promise.resolve([]);
  const send = async (): Promise<void> => {
    const found = await pending;
    pending = matcher.match({ paths: batch, isAsked: false });
    pending.catch(() => undefined); // it is awaited with the next batch
    batch = [];
    await newest.add(found);
  };
  for await (const file of walkFiles(path, { ...options, cwd })) {
    options.signal.throwIfAborted();
    batch.push(file);
    if (batch.length === BATCH_FILES) await send();
  }
  await send();
  await newest.add(await pending);
  return newest.paths();
}

/** The thread that matches; one order at a time. Rejects when the thread ends. */
class Matcher {
  readonly #worker: Worker;
  readonly #ended: Promise<never>;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.#ended = new Promise((_resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the thread that matches has ended')));
    });
    this.#ended.catch(() => undefined); // whoever waits for an answer hears of it
  }

  async match(order: MatcherOrder): Promise<readonly string[]> {
    if (order.paths.length === 0) return [];
    const answered = once(this.#worker, 'message');
    answered.catch(() => undefined); // an error of the thread reaches `#ended`
    this.#worker.postMessage(order);
    const [answer] = (await Promise.race([answered, this.#ended])) as [MatcherAnswer];
    return answer.map((index) => order.paths[index] ?? '');
  }
}
