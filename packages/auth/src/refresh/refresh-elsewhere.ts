import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { parseJsonObject } from '@quire/protocol';
import type { Environment } from '../endpoints.ts';
import type { RefreshOutcome } from './refresh-outcome.ts';
import type { RefreshOrder } from './refresh-program.ts';

/**
 * Has the stored login renewed by a process of its own, which outlives this one. `undefined` when there can be no such
 * process and nothing was begun. Does not reject.
 */
export async function refreshElsewhere(
  order: RefreshOrder,
  options: { readonly environment: Environment },
): Promise<RefreshOutcome | undefined> {
  // Imported only in this way, it is a file of its own in a split bundle too.
  const { READY, REFRESH_PROGRAM_URL: url } = await import('./refresh-program.ts');
  if (!isProgram(url)) return undefined;
  const script = `import(${JSON.stringify(url)}).then((program) => program.runRefreshProgram())`;
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: order.home,
      env: options.environment,
      windowsHide: true,
    });
  } catch {
    return undefined; // no more processes, or no such place
  }
  const output = await outputOf(child, JSON.stringify(order));
  const [first, second = ''] = output.split('\n');
  if (first !== READY) return undefined;
  return parseOutcome(second) ?? INTERRUPTED;
}

/**
 * Whether the module is a file of its own that Node.js can load. Sources are not, and in somebody's bundle it would be
 * their whole program that runs a second time.
 */
function isProgram(url: string): boolean {
  return url.startsWith('file:') && /^refresh-program(-\w+)?\.m?js$/.test(basename(new URL(url).pathname));
}

async function outputOf(child: ChildProcess, input: string): Promise<string> {
  return await new Promise((resolve) => {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    child.stdin?.on('error', () => undefined); // it ended early, which its output tells
    child.once('error', () => resolve(''));
    child.once('close', () => resolve(output));
    child.stdin?.end(input);
  });
}

/** Written by our own program: only the kind is looked at. */
function parseOutcome(line: string): RefreshOutcome | undefined {
  const outcome = parseJsonObject(line);
  const kind = outcome?.['kind'];
  return kind === 'refreshed' || kind === 'adopted' || kind === 'failed'
    ? (outcome as unknown as RefreshOutcome)
    : undefined;
}

const INTERRUPTED: RefreshOutcome = {
  kind: 'failed',
  failure: {
    kind: 'transient',
    code: 'connection-failed',
    message: 'the login could not be renewed: the process that did so was ended',
    retryable: true,
  },
};
