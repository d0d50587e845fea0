import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { parseJsonObject } from '@quire/protocol';
import type { Environment } from '../endpoints.ts';
import type { RefreshOutcome } from './refresh-outcome.ts';
import type { RefreshOrder } from './refresh-program.ts';

/** A process that has not begun by then never may: a debugger holds it, or something that it loads. */
const READY_MS = 10_000;
/** The wait for the lock and for the server, and a keyring that asks a person for its password. */
const DONE_MS = 150_000;
/** Longest wait for the end of a process that was killed: what it has started may hold its output. */
const END_MS = 1000;

export interface ElsewhereOptions {
  readonly environment: Environment;
  /** Longest wait until the process has begun; it is killed then. Default: 10 s. */
  readonly readyWithinMs?: number;
  /** Longest wait from there to its outcome; it goes on then. Default: 150 s. */
  readonly doneWithinMs?: number;
}

/**
 * Has the stored login renewed by a process of its own, which outlives this one. `undefined` when there can be no such
 * process and nothing was begun. Does not reject.
 */
export async function refreshElsewhere(
  order: RefreshOrder,
  options: ElsewhereOptions,
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
      env: withoutInspector(options.environment),
      windowsHide: true,
    });
  } catch {
    return undefined; // no more processes, or no such place
  }
  const output = await outputOf(child, {
    input: JSON.stringify(order),
    isReady: (text) => text.startsWith(`${READY}\n`),
    ...options,
  });
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

/** One that waits for a debugger, or for the port of the one that this process has, renews nothing. */
function withoutInspector(environment: Environment): Environment {
  const { NODE_OPTIONS: options } = environment;
  return options === undefined ? environment : { ...environment, NODE_OPTIONS: options.replace(INSPECTOR, '') };
}

const INSPECTOR = /(?<=^|\s)--inspect(?:-(?:port|publish-uid)(?:=|\s+)\S+|(?:-brk|-wait)?(?:=\S*)?)(?=\s|$)/g;

/**
 * What it has written when it has ended. One that has not begun in time is killed, and its end is awaited: it may have
 * begun meanwhile. One that has is left alone, as what it does may not be lost.
 */
async function outputOf(
  child: ChildProcess,
  {
    input,
    isReady,
    readyWithinMs = READY_MS,
    doneWithinMs = DONE_MS,
  }: Omit<ElsewhereOptions, 'environment'> & {
    readonly input: string;
    readonly isReady: (output: string) => boolean;
  },
): Promise<string> {
  return await new Promise((resolve) => {
    let output = '';
    const settle = (): void => {
      clearTimeout(timer);
      child.stdout?.destroy();
      child.unref();
      resolve(output);
    };
    const kill = (): void => {
      child.kill('SIGKILL');
      timer = setTimeout(settle, END_MS);
    };
    let timer = setTimeout(kill, readyWithinMs);
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const wasReady = isReady(output);
      output += chunk;
      if (wasReady || !isReady(output)) return;
      clearTimeout(timer);
      timer = setTimeout(settle, doneWithinMs);
    });
    child.stdin?.on('error', () => undefined); // it ended early, which its output tells
    child.once('error', settle);
    child.once('close', settle);
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
