import path from 'node:path';
import type { PrefixRule } from '@quire/core';
import { readFileLayer } from './config-file.ts';
import { canonicalFeatureName, isKnownFeature } from './feature-table.ts';
import { type ConfigLayer, isTable, valueAt } from './layers.ts';
import type { LayerStack } from './read-layers.ts';
import type { ApprovalPolicyName, ManagedRequirements, McpServerIdentity, WebSearchMode } from './requirements.ts';
import { REQUIREMENTS_FILE } from './system-folder.ts';
import { TableReader } from './table-reader.ts';

const POLICIES: readonly ApprovalPolicyName[] = ['untrusted', 'on-failure', 'on-request', 'never', 'granular'];
const MODES = ['read-only', 'workspace-write', 'danger-full-access'] as const;
const SEARCH_MODES: readonly (WebSearchMode | 'indexed')[] = ['disabled', 'cached', 'live', 'indexed'];
/** A rule that allows would let commands out of the sandbox: an administrator's only close. Source: the peer. */
const DECISIONS = ['prompt', 'forbidden'] as const;

/**
 * `undefined` when the machine is not managed. Of the file for settings an administrator used to manage, policy and
 * mode count as the only ones that are allowed.
 *
 * @throws ConfigError: requirements that can not be understood are not passed over
 */
export async function readRequirements(
  stack: Pick<LayerStack, 'layers' | 'systemFolder'>,
): Promise<ManagedRequirements | undefined> {
  const file = await readFileLayer('managed', path.join(stack.systemFolder, REQUIREMENTS_FILE));
  const managed = stack.layers.find(({ kind }) => kind === 'managed');
  if (file === undefined && managed === undefined) return undefined;
  try {
    const own = file === undefined ? undefined : readFile(file);
    const older = managed === undefined ? undefined : readManaged(managed);
    return {
      sources: [...(own === undefined ? [] : [own.source]), ...(older === undefined ? [] : [older.source])],
      approvalPolicies: older?.approvalPolicies ?? own?.approvalPolicies,
      sandboxModes: older?.sandboxModes ?? own?.sandboxModes,
      webSearchModes: own?.webSearchModes,
      features: own?.features ?? {},
      rules: own?.rules ?? [],
      mcpServers: own?.mcpServers,
      residency: own?.residency,
      warnings: own?.warnings ?? [],
    };
  } catch (error) {
    throw (await import('./locate-error.ts')).withLine(error, file === undefined ? [] : [file]);
  }
}

type FileRequirements = Omit<ManagedRequirements, 'sources'> & { readonly source: string };

function readFile({ table, source }: ConfigLayer): FileRequirements {
  const root = new TableReader(table, { source });
  const features = readFeatures(root);
  return {
    source,
    approvalPolicies: choices(root, 'allowed_approval_policies', POLICIES),
    sandboxModes: choices(root, 'allowed_sandbox_modes', MODES),
    webSearchModes: root
      .listOf('allowed_web_search_modes', SEARCH_MODES)
      ?.map((mode) => (mode === 'indexed' ? 'cached' : mode)),
    features: features.known,
    rules: readRules(root),
    mcpServers: readServers(root),
    residency: root.oneOf('enforce_residency', ['us']),
    warnings: features.unknown.map((name) => `${source}: features.${name} is not known and was ignored`),
  };
}

function readManaged({
  table,
  source,
}: ConfigLayer): Pick<FileRequirements, 'source' | 'approvalPolicies' | 'sandboxModes'> {
  const policy = valueAt(table, ['approval_policy']);
  const name = POLICIES.find((known) => known === (isTable(policy) ? 'granular' : policy));
  const mode = MODES.find((known) => known === valueAt(table, ['sandbox_mode']));
  return {
    source,
    approvalPolicies: name === undefined ? undefined : [name],
    sandboxModes: mode === undefined ? undefined : [...new Set(['read-only' as const, mode])],
  };
}

function choices<const Choice extends string>(
  root: TableReader,
  key: string,
  known: readonly Choice[],
): readonly Choice[] | undefined {
  const list = root.listOf(key, known);
  if (list?.length === 0) throw root.invalid(key, 'must not be empty: nothing would be allowed');
  return list;
}

/** Under both of its names. */
function readFeatures(root: TableReader): {
  readonly known: Readonly<Record<string, boolean>>;
  readonly unknown: readonly string[];
} {
  const entries = ['feature_requirements', 'features'].flatMap((name) => {
    const table = root.table(name);
    return table === undefined ? [] : table.keys().map((key) => [key, table.requiredBoolean(key)] as const);
  });
  return {
    known: Object.fromEntries(
      entries.filter(([name]) => isKnownFeature(name)).map(([name, value]) => [canonicalFeatureName(name), value]),
    ),
    unknown: entries.map(([name]) => name).filter((name) => !isKnownFeature(name)),
  };
}

/** `prefix_rules = [{ pattern = [{ token = "git" }, { any_of = ["push"] }], decision = "prompt" }]`. */
function readRules(root: TableReader): readonly PrefixRule[] {
  const rules = root.table('rules')?.tables('prefix_rules') ?? [];
  return rules.map((rule) => {
    const pattern = (rule.tables('pattern') ?? []).map((word) => {
      const token = word.string('token');
      const words = token === undefined ? (word.stringList('any_of') ?? []) : [token];
      if (words.length === 0) throw word.invalid('token', 'or any_of must be there');
      return words;
    });
    if (pattern.length === 0) throw rule.invalid('pattern', 'must not be empty');
    const decision = rule.oneOf('decision', DECISIONS);
    if (decision === undefined) throw rule.invalid('decision', `must be one of ${DECISIONS.join(', ')}`);
    return { pattern, decision, justification: rule.string('justification') };
  });
}

function readServers(root: TableReader): ManagedRequirements['mcpServers'] {
  const servers = root.table('mcp_servers');
  if (servers === undefined) return undefined;
  const entries = servers.keys().map((name): readonly [string, McpServerIdentity] => {
    const identity = servers.table(name)?.table('identity');
    const command = identity?.string('command');
    const url = identity?.string('url');
    if (command !== undefined) return [name, { command }];
    if (url !== undefined) return [name, { url }];
    throw servers.invalid(name, 'must have identity.command or identity.url');
  });
  return Object.fromEntries(entries);
}
