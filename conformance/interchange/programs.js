/** `quire` and the peer as a user starts them: one command line, one home folder, one provider. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * @typedef {'quire' | 'peer'} ProgramName
 * @typedef {Readonly<Record<ProgramName, string>>} ProgramPaths
 * @typedef {{ url: string, name: string }} Provider `name` is the one for people; the peer compacts remotely for `OpenAI`
 * @typedef {{ type: string, thread_id?: string, item?: { type: string } }} PrintedEvent
 * @typedef {{ exitCode: number | null, events: readonly PrintedEvent[], diagnostics: string }} Outcome
 * @typedef {{ cwd: string, env: Record<string, string>, interruptAt?: (event: PrintedEvent) => boolean }} RunOptions
 *   `interruptAt`: sends SIGINT, once, at the first event for which this is true
 */

export const MODEL = 'mock-model';

/** The settings that make a program ask `provider`. @param {Provider} provider */
export function providerSettings({ url, name }) {
  const fields = [`name=${JSON.stringify(name)}`, `base_url=${JSON.stringify(url)}`, 'supports_websockets=false'];
  return ['-c', `model_providers.lab={${fields.join(', ')}, wire_api="responses"}`, '-c', 'model_provider=lab'];
}

/**
 * Runs `exec --json` to its end.
 * @param {string} program path
 * @param {readonly string[]} words what follows the options: a subcommand with its id, images, the prompt
 * @param {RunOptions & { provider: Provider }} options
 * @returns {Promise<Outcome>}
 */
export async function runExec(program, words, { provider, cwd, env, interruptAt }) {
  const options = ['--json', '-m', MODEL, '-s', 'danger-full-access', ...providerSettings(provider)];
  const child = spawn(program, ['exec', ...options, ...words], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  let diagnostics = '';
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    diagnostics += text;
  });
  /** @type {PrintedEvent[]} */
  const events = [];
  let isInterrupted = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return;
    const event = /** @type {PrintedEvent} */ (JSON.parse(line));
    events.push(event);
    if (isInterrupted || interruptAt?.(event) !== true) return;
    isInterrupted = true;
    child.kill('SIGINT');
  });
  return { exitCode: await exited, events, diagnostics };
}
