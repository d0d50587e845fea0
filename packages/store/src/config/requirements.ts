import { allowedWebSearchMode, type McpServerConfig, type PrefixRule } from '@quire/core';
import type { ApprovalPolicy, ModelProvider, NamedApprovalPolicy, SandboxMode } from '@quire/protocol';
import type { McpConfig } from './mcp-settings.ts';
import type { ProviderSettings } from './provider-settings.ts';
import type { SafetySettings } from './safety-settings.ts';
import type { WebSearchConfig } from './web-search-settings.ts';

export type ApprovalPolicyName = NamedApprovalPolicy | 'granular';
export type WebSearchMode = 'disabled' | 'cached' | 'live';

/** What tells that an MCP server is the one that is allowed. */
export type McpServerIdentity = { readonly command: string } | { readonly url: string };

/** What the administrator of the machine allows. Absent members allow everything. */
export interface ManagedRequirements {
  /** Absolute paths of the files that say it, lowest first. */
  readonly sources: readonly string[];
  /** Not empty. The first one stands in for what is not allowed; so in the other lists. */
  readonly approvalPolicies: readonly ApprovalPolicyName[] | undefined;
  readonly sandboxModes: readonly SandboxMode[] | undefined;
  /** `disabled` is always allowed, also where it is not named. May be empty. */
  readonly webSearchModes: readonly WebSearchMode[] | undefined;
  /** By name; nobody can set these otherwise. */
  readonly features: Readonly<Record<string, boolean>>;
  /** Never with the decision `allow`. They add to the rules of the user. */
  readonly rules: readonly PrefixRule[];
  /** By name. Servers that are not among them are switched off. */
  readonly mcpServers: Readonly<Record<string, McpServerIdentity>> | undefined;
  /** Where requests have to be processed. */
  readonly residency: 'us' | undefined;
  /** One sentence each, for a person. */
  readonly warnings: readonly string[];
}

/** A value that is allowed, and what to tell the person who asked for another one. */
export interface Constrained<Value> {
  readonly value: Value;
  readonly notice: string | undefined;
}

/** For a policy of the configuration, of a flag or of the defaults. */
export function constrainApprovalPolicy(
  policy: ApprovalPolicy,
  requirements: ManagedRequirements | undefined,
): Constrained<ApprovalPolicy> {
  const allowed = requirements?.approvalPolicies;
  const name = typeof policy === 'string' ? policy : policy.kind;
  if (requirements === undefined || allowed === undefined || allowed.includes(name))
    return { value: policy, notice: undefined };
  // A table can not stand in: what it would hold is not known.
  const value = allowed.find((candidate) => candidate !== 'granular') ?? 'untrusted';
  return { value, notice: replaced({ key: 'approval_policy', wanted: name, value, allowed, requirements }) };
}

/** For a mode of the configuration, of a flag or of the defaults. */
export function constrainSandboxMode(
  mode: SandboxMode,
  requirements: ManagedRequirements | undefined,
): Constrained<SandboxMode> {
  const allowed = requirements?.sandboxModes;
  const [value] = allowed ?? [];
  if (requirements === undefined || allowed === undefined || value === undefined || allowed.includes(mode)) {
    return { value: mode, notice: undefined };
  }
  return { value, notice: replaced({ key: 'sandbox_mode', wanted: mode, value, allowed, requirements }) };
}

/** For a mode that was asked for or that a turn would take by itself. */
export function constrainWebSearchMode(
  mode: WebSearchMode,
  requirements: ManagedRequirements | undefined,
): Constrained<WebSearchMode> {
  const allowed = requirements?.webSearchModes;
  if (requirements === undefined || allowed === undefined) return { value: mode, notice: undefined };
  const value = allowedWebSearchMode(mode, { allowed, fullAccess: false });
  if (value === mode) return { value, notice: undefined };
  return { value, notice: replaced({ key: 'web_search', wanted: mode, value, allowed, requirements }) };
}

type Constrainable = Pick<SafetySettings, 'approvalPolicy' | 'sandboxMode'> &
  Pick<WebSearchConfig, 'webSearch'> &
  Pick<McpConfig, 'mcpServers'> &
  Pick<ProviderSettings, 'provider'> & { readonly warnings: readonly string[] };

/** What the configuration says, as far as it is allowed, with a warning for each thing that is not. */
export function constrainSettings(config: Constrainable, requirements: ManagedRequirements): Constrainable {
  const { approvalPolicy, sandboxMode, webSearch } = config;
  const policy = approvalPolicy === undefined ? undefined : constrainApprovalPolicy(approvalPolicy, requirements);
  const mode = sandboxMode === undefined ? undefined : constrainSandboxMode(sandboxMode, requirements);
  const search = webSearch === undefined ? undefined : constrainWebSearchMode(webSearch, requirements);
  const notices = [policy?.notice, mode?.notice, search?.notice].filter((notice) => notice !== undefined);
  const refused = config.mcpServers.filter((server) => server.enabled && !isAllowed(server, requirements));
  const serverNotices = refused.map(
    ({ name }) => `mcp_servers.${name} is switched off: ${named(requirements)} does not allow it`,
  );
  return {
    provider: inResidency(config.provider, requirements),
    approvalPolicy: policy?.value,
    sandboxMode: mode?.value,
    webSearch: search?.value,
    mcpServers: config.mcpServers.map((server) => (refused.includes(server) ? { ...server, enabled: false } : server)),
    warnings: [...config.warnings, ...requirements.warnings, ...notices, ...serverNotices],
  };
}

/** Source for the header, and that every provider gets it: observed, peer 0.169. */
const RESIDENCY_HEADER = 'x-openai-internal-codex-residency';

/** Whatever a provider's own headers say of it. */
function inResidency(provider: ModelProvider, { residency }: ManagedRequirements): ModelProvider {
  if (residency === undefined) return provider;
  const others = <Value>(headers: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== RESIDENCY_HEADER));
  const { httpHeaders, envHttpHeaders } = provider;
  return {
    ...provider,
    httpHeaders: { ...others(httpHeaders), [RESIDENCY_HEADER]: residency },
    envHttpHeaders: others(envHttpHeaders),
  };
}

function isAllowed({ name, transport }: McpServerConfig, { mcpServers }: ManagedRequirements): boolean {
  if (mcpServers === undefined) return true;
  const identity = Object.hasOwn(mcpServers, name) ? mcpServers[name] : undefined;
  if (identity === undefined) return false;
  if ('command' in identity) return transport.kind === 'stdio' && transport.command === identity.command;
  return transport.kind === 'streamable-http' && transport.url === identity.url;
}

function replaced(change: {
  readonly key: string;
  readonly wanted: string;
  readonly value: string;
  readonly allowed: readonly string[];
  readonly requirements: ManagedRequirements;
}): string {
  const { key, wanted, value, allowed, requirements } = change;
  const list = allowed.length === 0 ? 'nothing else' : allowed.join(', ');
  return `${key}: ${wanted} is not allowed by ${named(requirements)}, ${value} is used; allowed: ${list}`;
}

function named({ sources }: ManagedRequirements): string {
  return sources.join(' and ');
}
