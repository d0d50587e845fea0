import type { ResponseItem } from '@quire/protocol';
import { fragmentsFromEnd, wrapFragment } from './fragments.ts';

/** Facts about the place a thread works in. Source: the peer's environment context, spring 2026. */
export interface GitFacts {
  /** Absolute path of the work tree's root. */
  readonly root: string;
  readonly commitHash: string | undefined;
  readonly branch: string | undefined;
  /** Remote name to URL, without credentials. */
  readonly remotes: Readonly<Record<string, string>>;
}

export interface EnvironmentFacts {
  readonly shellName: string;
  /** `YYYY-MM-DD`, local. */
  readonly currentDate: string | undefined;
  /** IANA name. */
  readonly timezone: string | undefined;
  /** Of the working directory. */
  readonly git: GitFacts | undefined;
  /** Of further roots that the thread works in, each a work tree of its own. */
  readonly otherWorkspaces: readonly GitFacts[];
}

export function environmentSection(
  facts: EnvironmentFacts,
  options: { readonly cwd: string | undefined; readonly withGit: boolean },
): string {
  const lines: string[] = [];
  if (options.cwd !== undefined) lines.push(`  <cwd>${escapeXml(options.cwd)}</cwd>`);
  lines.push(`  <shell>${escapeXml(facts.shellName)}</shell>`);
  if (options.withGit) lines.push(...workspaceConfiguration(facts));
  if (facts.currentDate !== undefined) lines.push(`  <current_date>${facts.currentDate}</current_date>`);
  if (facts.timezone !== undefined) lines.push(`  <timezone>${escapeXml(facts.timezone)}</timezone>`);
  return wrapFragment('environment', `\n${lines.join('\n')}\n`);
}

function workspaceConfiguration(facts: EnvironmentFacts): readonly string[] {
  const roots = new Map<string, GitFacts>();
  for (const git of facts.otherWorkspaces) roots.set(git.root, git);
  if (facts.git !== undefined) roots.set(facts.git.root, facts.git);
  if (roots.size === 0) return [];
  const lines = sortedByKey(roots).flatMap(([, git]) => workspaceLines(git));
  return ['  <workspace_configuration>', ...lines, '  </workspace_configuration>'];
}

function workspaceLines(git: GitFacts): readonly string[] {
  const hint = git.root.slice(git.root.lastIndexOf('/') + 1);
  const lines = [`    <workspace path="${escapeXml(git.root)}" hint="${escapeXml(hint)}">`];
  if (git.commitHash !== undefined) {
    lines.push(`      <latest_git_commit_hash>${git.commitHash}</latest_git_commit_hash>`);
  }
  const remotes = sortedByKey(Object.entries(git.remotes));
  if (remotes.length > 0) {
    lines.push('      <associated_remote_urls>');
    for (const [name, url] of remotes) {
      lines.push(`        <remote name="${escapeXml(name)}">${escapeXml(url)}</remote>`);
    }
    lines.push('      </associated_remote_urls>');
  }
  lines.push('    </workspace>');
  return lines;
}

function sortedByKey<Value>(entries: Iterable<readonly [string, Value]>): readonly (readonly [string, Value])[] {
  return [...entries].sort(([left], [right]) => (left < right ? -1 : 1));
}

/** What the newest environment section in the history says under `element`. */
export function lastToldEnvironment(
  history: readonly ResponseItem[],
  element: 'current_date' | 'timezone',
): string | undefined {
  const pattern = new RegExp(`<${element}>([^<]*)</${element}>`);
  for (const section of fragmentsFromEnd(history, 'environment')) {
    const value = pattern.exec(section)?.[1];
    if (value !== undefined) return value;
  }
  return undefined;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
