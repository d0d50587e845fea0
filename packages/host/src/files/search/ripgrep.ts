import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { WorkspaceAnswer } from '@quire/core';
import { waitFor } from '../../process/abort.ts';
import { killGroup, OWNER_VARIABLE } from '../../process/marked-processes.ts';
import { Watchdog } from '../../process/watchdog.ts';
import { NewestFiles } from './newest-files.ts';
import { type SearchOptions, type SearchQuery, timedOut } from './search-query.ts';

const MAX_COMPLAINT_CHARACTERS = 4_000;
/** Ends each path: names may hold newlines. */
const NUL = 0;

/** The first `rg` in the search path. Relative places are passed over: a project could hold a program of that name. */
export function findRipgrep(searchPath: string | undefined): string | undefined {
  return (searchPath ?? '')
    .split(':')
    .filter((directory) => isAbsolute(directory))
    .map((directory) => join(directory, 'rg'))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** `undefined`: it does not run. Rejects with the reason of the signal after it was killed. */
export async function searchWithRipgrep(
  program: string,
  query: SearchQuery,
  { signal, environment, timeoutMs }: SearchOptions,
): Promise<WorkspaceAnswer<readonly string[]> | undefined> {
  const token = randomBytes(16).toString('hex');
  const watchdog = new Watchdog({ token, directory: join(tmpdir(), `quire-${token}`) });
  let running: ChildProcess | undefined;
  try {
    watchdog.start();
    const child = start(program, query, { ...environment, [OWNER_VARIABLE]: token });
    if (child === undefined) return undefined;
    const ended = new Promise<SearchEnd>((resolve) => {
      child.once('error', (error) => resolve({ kind: 'not-run', reason: error.message }));
      child.once('close', (exitCode) => resolve({ kind: 'ended', exitCode }));
    });
    if (child.pid === undefined) {
      await ended;
      return undefined;
    }
    running = child;
    watchdog.addGroup(child.pid);
    const answer = await waitFor(collect(child, { limit: query.limit, ended }), { timeoutMs, signal });
    return answer.kind === 'done' ? answer.value : timedOut(timeoutMs);
  } finally {
    if (running?.exitCode === null && running.signalCode === null) killGroup(running.pid);
    void watchdog.close(); // never rejects
  }
}

function start(program: string, query: SearchQuery, environment: SearchOptions['environment']) {
  try {
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    return spawn(program, argumentsFor(query), { cwd: query.cwd, detached: true, env: environment, stdio });
  } catch {
    return undefined; // the pattern is longer than the system lets a program be told
  }
}

type SearchEnd =
  | { readonly kind: 'not-run'; readonly reason: string }
  | { readonly kind: 'ended'; readonly exitCode: number | null };

/** `--no-config`: a configuration file could name programs to run, and change what is printed. */
function argumentsFor({ pattern, include, path }: SearchQuery): string[] {
  const glob = include === undefined ? [] : [`--glob=${include}`];
  return [
    '--no-config',
    '--files-with-matches',
    '--no-messages',
    '--color=never',
    '--null',
    ...glob,
    `--regexp=${pattern}`,
    '--',
    path,
  ];
}

async function collect(
  { stdout, stderr }: { readonly stdout: Readable; readonly stderr: Readable },
  search: { readonly limit: number; readonly ended: Promise<SearchEnd> },
): Promise<WorkspaceAnswer<readonly string[]> | undefined> {
  const newest = new NewestFiles(search.limit);
  const complaint = readComplaint(stderr);
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(NUL) + 1;
    rest = bytes.subarray(end);
    await newest.add(splitPaths(bytes.subarray(0, end)));
  }
  const end = await search.ended;
  if (end.kind === 'not-run') return undefined;
  const text = complaint().trim();
  // Files that can not be read make it end with 2 as well, without a word.
  if (end.exitCode === 0 || end.exitCode === 1 || (end.exitCode === 2 && text === '')) {
    return { kind: 'ok', value: newest.paths() };
  }
  return { kind: 'failed', reason: `rg failed: ${text === '' ? `exit code ${end.exitCode}` : text}` };
}

/** Each path ends with NUL. */
function splitPaths(bytes: Buffer): (string | Buffer)[] {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return text.split('\0').slice(0, -1);
  const paths: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NUL, start);
    paths.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return paths;
}

function readComplaint(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    if (text.length < MAX_COMPLAINT_CHARACTERS) text = (text + chunk).slice(0, MAX_COMPLAINT_CHARACTERS);
  });
  return () => text;
}
