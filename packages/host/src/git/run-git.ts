import { spawn } from 'node:child_process';

/** More than this is no answer to a question about a work tree. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
/** What git gets to remove its lock files in when it is asked to end. */
const GRACE_MS = 500;

/** Git ended with an error, or could not be started. */
export class GitError extends Error {
  override readonly name = 'GitError';
  /** `undefined` when it did not run to its end. */
  readonly exitCode: number | undefined;
  /** What git said first; one line. */
  readonly reason: string;

  constructor(
    command: string,
    details: { readonly exitCode?: number; readonly reason: string; readonly cause?: unknown },
  ) {
    super(`git ${command}: ${details.reason}`, { cause: details.cause });
    this.exitCode = details.exitCode;
    this.reason = details.reason;
  }
}

export interface GitRun {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** One character for each byte. */
  readonly input?: string;
}

/**
 * What `git ARGS` prints, one character for each byte: names of files need not be UTF-8.
 * Rejects with `GitError`, and with the reason of `signal` after git is gone.
 */
export function runGit(args: readonly string[], run: GitRun): Promise<string> {
  const { signal } = run;
  const command = args.find((argument) => !argument.startsWith('-')) ?? '';
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const child = spawn('git', args, { cwd: run.cwd, env: run.environment, stdio: 'pipe' });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let complaint = '';
    let killTimer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      child.kill('SIGTERM');
      killTimer ??= setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    };
    signal.addEventListener('abort', stop, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) stop();
      else chunks.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < 4_096) complaint += chunk.toString('utf8');
    });
    child.stdin.on('error', ignoreEarlyEnd);
    child.stdin.end(run.input ?? '', 'latin1');
    child.once('error', (cause) => {
      signal.removeEventListener('abort', stop);
      clearTimeout(killTimer);
      reject(new GitError(command, { reason: `git could not be started (${cause.message})`, cause }));
    });
    child.once('close', (exitCode, killedBy) => {
      signal.removeEventListener('abort', stop);
      clearTimeout(killTimer);
      if (signal.aborted) reject(signal.reason);
      else if (exitCode === 0) resolve(Buffer.concat(chunks).toString('latin1'));
      else
        reject(
          new GitError(command, { ...(exitCode === null ? {} : { exitCode }), reason: firstLine(complaint, killedBy) }),
        );
    });
  });
}

/** Git that ends before it has read everything says so by its exit code. */
function ignoreEarlyEnd(): void {
  return;
}

function firstLine(complaint: string, killedBy: NodeJS.Signals | null): string {
  const line = complaint.split('\n').find((text) => text.trim() !== '');
  return line?.replace(/^(?:fatal|error): /, '') ?? (killedBy === null ? 'failed' : `ended by ${killedBy}`);
}

/** Variables that point git to another repository than the one of its directory, or change what paths and differences mean. */
const LOCAL_VARIABLES: ReadonlySet<string> = new Set([
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_CONFIG',
  'GIT_CONFIG_COUNT',
  'GIT_CONFIG_PARAMETERS',
  'GIT_DIR',
  'GIT_EXTERNAL_DIFF',
  'GIT_GLOB_PATHSPECS',
  'GIT_GRAFT_FILE',
  'GIT_ICASE_PATHSPECS',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_INTERNAL_SUPER_PREFIX',
  'GIT_LITERAL_PATHSPECS',
  'GIT_NAMESPACE',
  'GIT_NOGLOB_PATHSPECS',
  'GIT_NO_REPLACE_OBJECTS',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_REPLACE_REF_BASE',
  'GIT_SHALLOW_FILE',
  'GIT_WORK_TREE',
]);

/**
 * For reading the user's repository: with the user's configuration, but nothing is written, fetched or asked,
 * and no program is run that the configuration names for these occasions. Configuration in variables counts as the user's:
 * programs that work on repositories of others allow them that way.
 *
 * @param settings configuration that wins over all other
 */
export function readOnlyEnvironment(settings: ReadonlyMap<string, string> = new Map()): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !LOCAL_VARIABLES.has(name) && !name.startsWith('GIT_TRACE')) environment[name] = value;
  }
  return {
    ...environment,
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_PAGER: 'cat',
    ...configuration([
      ...givenConfiguration(),
      ['core.fsmonitor', 'false'],
      ['core.hooksPath', '/dev/null'],
      ...settings,
    ]),
  };
}

/** Of the variables that are not whole nothing is taken: git would refuse to work. Source: git-config(1). */
function givenConfiguration(): (readonly [string, string])[] {
  const given: (readonly [string, string])[] = [];
  const count = Number(process.env['GIT_CONFIG_COUNT'] ?? 0);
  for (let index = 0; index < count; index += 1) {
    const [name, value] = [process.env[`GIT_CONFIG_KEY_${index}`], process.env[`GIT_CONFIG_VALUE_${index}`]];
    if (name === undefined || value === undefined) return [];
    given.push([name, value]);
  }
  return given;
}

/** For a repository of our own: nothing of the user's or the system's configuration of git is seen. */
export function isolatedEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !name.startsWith('GIT_')) environment[name] = value;
  }
  return {
    ...environment,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
}

/** Settings as variables: unlike with `-c`, a name may hold any character. */
export function configuration(settings: Iterable<readonly [string, string]>): Record<string, string> {
  const all = [...settings];
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(all.length) };
  for (const [index, [name, value]] of all.entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = name;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return variables;
}
