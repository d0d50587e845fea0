import { isJsonObject, type JsonObject } from './json.ts';

const NAMED_APPROVAL_POLICIES = ['untrusted', 'on-failure', 'on-request', 'never'] as const;
export type NamedApprovalPolicy = (typeof NAMED_APPROVAL_POLICIES)[number];

/** Which kinds of questions may be put to a person. What may not be asked is refused. */
export interface GranularApprovalPolicy {
  readonly kind: 'granular';
  /** Commands and patches that go beyond the sandbox, and dangerous commands. */
  readonly sandboxApproval: boolean;
  /** What a rule says to ask about. */
  readonly rules: boolean;
  /** Forms of MCP servers. */
  readonly mcpElicitations: boolean;
  readonly requestPermissions: boolean;
  readonly skillApproval: boolean;
}

/** When a person is asked before something runs. Names are the configuration file's. */
export type ApprovalPolicy = NamedApprovalPolicy | GranularApprovalPolicy;

/** As configuration files and turn context lines spell the switches. Source: the peer's schema, 0.169. */
const SWITCHES = [
  ['sandbox_approval', 'sandboxApproval'],
  ['rules', 'rules'],
  ['mcp_elicitations', 'mcpElicitations'],
  ['request_permissions', 'requestPermissions'],
  ['skill_approval', 'skillApproval'],
] as const;
const REQUIRED_SWITCHES = ['sandbox_approval', 'rules', 'mcp_elicitations'];

export type ApprovalPolicyReading =
  | {
      readonly kind: 'ok';
      readonly policy: ApprovalPolicy;
      /** Switches that are not known and were ignored. */
      readonly unknownKeys: readonly string[];
      /** Switches that the table form should have and has not. */
      readonly missingKeys: readonly string[];
    }
  /** `problem` is a predicate, such as `must be one of …`. */
  | { readonly kind: 'invalid'; readonly problem: string };

/**
 * Reads a policy as configuration files and turn context lines hold it: a name, `{granular: {…}}`, or the older
 * `{reject: {…}}`, whose switches mean the opposite. A switch that is not there is off: that kind of question is refused.
 */
export function readApprovalPolicy(value: unknown): ApprovalPolicyReading {
  if (typeof value === 'string') {
    const policy = NAMED_APPROVAL_POLICIES.find((name) => name === value);
    return policy === undefined
      ? invalid(`must be one of ${NAMED_APPROVAL_POLICIES.join(', ')} or a table "granular", found ${quoted(value)}`)
      : { kind: 'ok', policy, unknownKeys: [], missingKeys: [] };
  }
  if (!isJsonObject(value)) return invalid('must be a name or a table "granular"');
  const [form, ...others] = Object.keys(value);
  if ((form !== 'granular' && form !== 'reject') || others.length > 0) {
    return invalid('must have "granular" as its only key when it is a table');
  }
  const switches = value[form];
  return isJsonObject(switches) ? readSwitches(switches, form) : invalid(`must hold a table in "${form}"`);
}

function readSwitches(switches: JsonObject, form: 'granular' | 'reject'): ApprovalPolicyReading {
  const entries: [string, boolean][] = [];
  for (const [key, name] of SWITCHES) {
    const value = switches[key] ?? form === 'reject';
    if (typeof value !== 'boolean') return invalid(`must have true or false in ${form}.${key}`);
    entries.push([name, value !== (form === 'reject')]);
  }
  const known: readonly string[] = SWITCHES.map(([key]) => key);
  const policy = { kind: 'granular', ...Object.fromEntries(entries) } as GranularApprovalPolicy; // all of SWITCHES
  return {
    kind: 'ok',
    policy,
    unknownKeys: Object.keys(switches).filter((key) => !known.includes(key)),
    missingKeys: REQUIRED_SWITCHES.filter((key) => switches[key] === undefined),
  };
}

/** In the spelling of turn context lines. */
export function approvalPolicyJson(policy: ApprovalPolicy): string | JsonObject {
  if (typeof policy === 'string') return policy;
  return { granular: Object.fromEntries(SWITCHES.map(([key, name]) => [key, policy[name]])) };
}

/** One word for people. */
export function approvalPolicyName(policy: ApprovalPolicy): NamedApprovalPolicy | 'granular' {
  return typeof policy === 'string' ? policy : policy.kind;
}

function quoted(value: string): string {
  return JSON.stringify(value.slice(0, 60));
}

function invalid(problem: string): ApprovalPolicyReading {
  return { kind: 'invalid', problem };
}

/** What commands and patches may touch. Names are the configuration file's. */
export type SandboxMode = 'read-only' | 'workspace-write' | 'danger-full-access';

export interface SandboxPolicy {
  readonly mode: SandboxMode;
  /** Absolute; beside the working directory. Only for `workspace-write`. */
  readonly writableRoots: readonly string[];
  readonly networkAccess: boolean;
  readonly excludeTmpdirEnvVar: boolean;
  readonly excludeSlashTmp: boolean;
}
