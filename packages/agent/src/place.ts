import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { EnvironmentFacts, GitFacts } from '@quire/core';
import { localTimezone, readGitFacts, readProjectInstructions } from '@quire/host';
import type { Config } from '@quire/store';
import { AgentError } from './agent-error.ts';
import type { PlaceFacts } from './thread-settings.ts';

/** What `readPlace` found, and what to tell a person about it. */
export interface PlaceReading extends PlaceFacts {
  readonly notices: readonly string[];
}

/** The working directory of this process. */
export function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    const message = 'the current directory does not exist any more; change to another one, or name one with -C';
    throw new AgentError('missing-directory', message, { cause });
  }
}

/** The absolute, real path of a working directory. */
export async function resolveWorkingDirectory(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch (cause) {
    throw new AgentError(
      'missing-directory',
      `the working directory ${path} does not exist; give an existing one with -C`,
      {
        cause,
      },
    );
  }
  throw new AgentError('missing-directory', `${path} is a file, not a directory; give a directory with -C`);
}

/** Reads what the model is told about the place. Runs nothing that the project could choose. */
export async function readPlace(options: {
  readonly cwd: string;
  readonly home: string;
  readonly config: Config;
  readonly shellName: string;
  /** Further folders that the thread works in. */
  readonly otherRoots: readonly string[];
  readonly processEnvironment: Readonly<Record<string, string | undefined>>;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}): Promise<PlaceReading> {
  const { cwd, home, config, signal } = options;
  const [git, others, instructions] = await Promise.all([
    gitFactsOf(cwd, signal),
    Promise.all(options.otherRoots.map((root) => gitFactsOf(resolve(cwd, root), signal))),
    readProjectInstructions({
      cwd,
      home,
      maxBytes: config.projectDocMaxBytes,
      rootMarkers: config.projectRootMarkers,
      fallbackFilenames: config.projectDocFallbackFilenames,
    }),
  ]);
  const environment: EnvironmentFacts = {
    shellName: options.shellName,
    currentDate: localDate(options.nowMs),
    timezone: localTimezone(options.processEnvironment),
    git,
    otherWorkspaces: otherWorkspaces(git, others),
  };
  return {
    cwd,
    environment,
    projectInstructions: instructions.text,
    notices: instructions.notices,
  };
}

async function gitFactsOf(cwd: string, signal: AbortSignal): Promise<GitFacts | undefined> {
  const git = await readGitFacts({ cwd, signal });
  if (git === undefined) return undefined;
  const { root, commitHash, branch, originUrl } = git;
  return { root, commitHash, branch, remotes: originUrl === undefined ? {} : { origin: originUrl } };
}

/** Each work tree once. */
function otherWorkspaces(own: GitFacts | undefined, others: readonly (GitFacts | undefined)[]): readonly GitFacts[] {
  const byRoot = new Map<string, GitFacts>();
  for (const facts of others) if (facts !== undefined && facts.root !== own?.root) byRoot.set(facts.root, facts);
  return [...byRoot.values()];
}

export function localDate(nowMs: number): string {
  const date = new Date(nowMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
