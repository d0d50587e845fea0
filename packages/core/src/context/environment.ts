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
  readonly git: GitFacts | undefined;
}

export function environmentSection(
  facts: EnvironmentFacts,
  options: { readonly cwd: string | undefined; readonly withGit: boolean },
): string {
  const lines = ['<environment_context>'];
  if (options.cwd !== undefined) lines.push(`  <cwd>${escapeXml(options.cwd)}</cwd>`);
  lines.push(`  <shell>${escapeXml(facts.shellName)}</shell>`);
  if (options.withGit && facts.git !== undefined) lines.push(...workspaceLines(facts.git));
  if (facts.currentDate !== undefined) lines.push(`  <current_date>${facts.currentDate}</current_date>`);
  if (facts.timezone !== undefined) lines.push(`  <timezone>${escapeXml(facts.timezone)}</timezone>`);
  lines.push('</environment_context>');
  return lines.join('\n');
}

function workspaceLines(git: GitFacts): string[] {
  const hint = git.root.slice(git.root.lastIndexOf('/') + 1);
  const lines = [
    '  <workspace_configuration>',
    `    <workspace path="${escapeXml(git.root)}" hint="${escapeXml(hint)}">`,
  ];
  if (git.commitHash !== undefined) {
    lines.push(`      <latest_git_commit_hash>${git.commitHash}</latest_git_commit_hash>`);
  }
  const remotes = Object.entries(git.remotes).sort(([left], [right]) => (left < right ? -1 : 1));
  if (remotes.length > 0) {
    lines.push('      <associated_remote_urls>');
    for (const [name, url] of remotes) {
      lines.push(`        <remote name="${escapeXml(name)}">${escapeXml(url)}</remote>`);
    }
    lines.push('      </associated_remote_urls>');
  }
  lines.push('    </workspace>', '  </workspace_configuration>');
  return lines;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
