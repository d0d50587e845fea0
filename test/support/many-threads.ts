/**
 * A program: many threads at once in one process, some of them aborted in the middle, closed more than once, and then
 * nothing: the process has to end by itself. Arguments: the provider's URL, the home folder, the project folder.
 * Prints one JSON object.
 */
import { Quire } from '@quire/agent';
import type { ThreadEvent, TurnOutcome } from '@quire/protocol';
import { ABORTED_EVERY, THREADS, type ThreadsReport } from './threads-report.ts';

const [baseUrl = '', home = '', workingDirectory = ''] = process.argv.slice(2);
const quire = new Quire({ baseUrl, home, apiKey: 'test-key' });

async function open() {
  return quire.startThread({ workingDirectory, skipGitRepoCheck: true, sandboxMode: 'danger-full-access' });
}

async function runThread(index: number): Promise<{ readonly outcome: TurnOutcome | undefined; readonly id: string }> {
  const thread = await open();
  const stop = new AbortController();
  let outcome: TurnOutcome | undefined;
  const onEvent = (event: ThreadEvent): void => {
    if (event.kind === 'turn-end') outcome = event.outcome;
    const isCommand = event.kind === 'item-start' && event.item.kind === 'command-execution';
    if (isCommand && index % ABORTED_EVERY === 0) stop.abort(new Error('enough'));
  };
  await thread.runPushed(`Thread ${index}.`, { signal: stop.signal, onEvent });
  await Promise.all([thread.close(), thread.close()]);
  await thread.close();
  return { outcome, id: thread.facts.threadId };
}

async function nameOfRejection(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

const runs = await Promise.all(Array.from({ length: THREADS }, (_, index) => runThread(index)));

const thread = await open();
const busy = thread.run('Thread 1.');
const secondRun = await nameOfRejection(thread.run('Thread 1.'));
await busy;
await thread.close();
const report: ThreadsReport = {
  outcomes: runs.map(({ outcome }) => outcome),
  afterClose: await nameOfRejection(thread.run('Once more.')),
  secondRun,
  distinctThreads: new Set(runs.map(({ id }) => id)).size,
};
process.stdout.write(JSON.stringify(report));
