import { type ApprovalPolicy, approvalPolicyName } from '@quire/protocol';
import type { CommandRules, RuleDecision, RuleMatch } from '../ports/command-rules.ts';
import {
  type CommandReading,
  isDangerousArgv,
  isSafeCommand,
  quoteArgv,
  reachableCommands,
  readCommand,
  type SimpleCommand,
} from '../shell/index.ts';
import type { ThreadSettings } from '../thread/settings.ts';
import { isBannedPrefix } from './banned-prefixes.ts';
import { needsApproval } from './needs-approval.ts';
import type { RequestedPermissions } from './requested-permissions.ts';

export type CommandDecision =
  /** `unconfined`: without the sandbox that the settings ask for. */
  | { readonly kind: 'run'; readonly unconfined: boolean }
  | {
      readonly kind: 'ask';
      readonly unconfined: boolean;
      /** Why a person is asked, to be told to the model when nobody can be. */
      readonly cause: string;
      /** What the model could do instead. */
      readonly instead: string;
      /** Of the rule that asks. */
      readonly justification: string | undefined;
      readonly proposedRule: readonly string[] | undefined;
    }
  /** `reason` is told to the model and to people. */
  | { readonly kind: 'refuse'; readonly reason: string };

export interface CommandQuestion {
  readonly argv: readonly string[];
  readonly permissions: RequestedPermissions;
  readonly settings: Pick<ThreadSettings, 'approvalPolicy' | 'sandbox'>;
  readonly rules: CommandRules | undefined;
}

/** Longest command that is repeated in a refusal, in characters. */
const LONGEST_NAME = 200;
const DANGEROUS = {
  cause: 'this command, which deletes without asking (such as `rm -f`),',
  instead: 'remove files one by one with plain `rm` or `apply_patch`',
};
const ESCALATED = {
  cause: 'running without the sandbox',
  instead: 'run the command inside of the sandbox, without `sandbox_permissions`, or choose another way',
};
const UNTRUSTED = {
  cause: 'every command but plain reading ones (approval policy untrusted)',
  instead: 'use plain reading commands',
};

/**
 * Whether a command runs, is asked about or is refused. Rules go first, the strictest of all that match; then what
 * kind of command it is. Source: the peer's decisions, segments and classes.
 */
export function decideCommand(question: CommandQuestion): CommandDecision {
  const { argv, permissions, settings } = question;
  const { approvalPolicy } = settings;
  if (permissions.escalated && !mayEscalate(approvalPolicy)) {
    return refuse(
      `approval policy is ${approvalPolicyName(approvalPolicy)}: do not ask for escalated permissions; run the command without them`,
    );
  }
  const reading = readCommand(argv);
  const ruled = applyRules(reading, question);
  if (ruled.decision === 'forbidden') return forbiddenByRule(argv, ruled.match);
  const unconfined = permissions.escalated;
  if (ruled.decision === 'prompt') return askForRule({ argv, approvalPolicy, unconfined }, ruled.match);
  if (ruled.segments.every(({ isAllowed }) => isAllowed)) return { kind: 'run', unconfined: true };
  const rest = ruled.segments.filter(({ isAllowed }) => !isAllowed).map(({ segment }) => segment);
  return decideByClass(question, { reading, rest, isRuled: ruled.segments.length > rest.length });
}

/** Whether rules of files and of this session allow every part of a command, so that it needs no sandbox. */
export function isAllowedByRules(argv: readonly string[], rules: CommandRules | undefined): boolean {
  if (rules === undefined) return false;
  const { decision, segments } = applyRules(readCommand(argv), { argv, rules });
  return decision === undefined && segments.every(({ isAllowed }) => isAllowed);
}

/** Whether this policy lets a person be asked when the sandbox was in the way. */
export function asksAfterDenial(policy: ApprovalPolicy): boolean {
  return typeof policy === 'string' ? policy === 'on-failure' || policy === 'untrusted' : policy.sandboxApproval;
}

/** A rule that would let this command go without a question; `undefined` when none should be offered. */
export function proposeRule(
  question: Pick<CommandQuestion, 'argv' | 'permissions' | 'rules'>,
): readonly string[] | undefined {
  const reading = readCommand(question.argv);
  const ruled = applyRules(reading, question);
  if (reading.form === 'heredoc' || ruled.decision !== undefined || isDangerousArgv(question.argv)) return undefined;
  const rest = ruled.segments.filter(({ isAllowed }) => !isAllowed).map(({ segment }) => segment);
  return proposalFor(rest, {
    prefixRule: question.permissions.prefixRule,
    isRuled: ruled.segments.length > rest.length,
    segments: reading.segments,
  });
}

interface RuledSegments {
  /** The strictest of the rules that do not allow. */
  readonly decision: Exclude<RuleDecision, 'allow'> | undefined;
  readonly match: RuleMatch | undefined;
  readonly segments: readonly { readonly segment: SimpleCommand; readonly isAllowed: boolean }[];
}

/**
 * Rules that allow hold for the commands of a script that was understood completely; rules that ask or forbid hold
 * for every command that can be seen anywhere in it, so that brackets or a `sudo` in front do not take one away.
 */
function applyRules(reading: CommandReading, question: Pick<CommandQuestion, 'argv' | 'rules'>): RuledSegments {
  const { argv, rules } = question;
  if (rules === undefined) {
    const segments = reading.segments.map((segment) => ({ segment, isAllowed: false }));
    return { decision: undefined, match: undefined, segments };
  }
  const segments = reading.segments.map((segment) => ({ segment, matches: rules.matches(segment.words) }));
  const seen = reachableCommands(argv).flatMap(({ words }) => rules.matches(words));
  const all = [...segments.flatMap(({ matches }) => matches), ...seen];
  const forbidden = all.find(({ decision }) => decision === 'forbidden');
  const match = forbidden ?? all.find(({ decision }) => decision === 'prompt');
  return {
    decision: match === undefined || match.decision === 'allow' ? undefined : match.decision,
    match,
    segments: segments.map(({ segment, matches }) => ({ segment, isAllowed: matches.length > 0 })),
  };
}

function forbiddenByRule(argv: readonly string[], match: RuleMatch | undefined): CommandDecision {
  const rule = match === undefined ? '' : ` (rule: ${quoteArgv(match.matchedPrefix)})`;
  const why = match?.justification === undefined ? '' : `: ${match.justification}`;
  return refuse(`\`${shortName(argv)}\` is forbidden by a rule of the user${rule}${why}`);
}

function askForRule(
  question: { readonly argv: readonly string[]; readonly approvalPolicy: ApprovalPolicy; readonly unconfined: boolean },
  match: RuleMatch | undefined,
): CommandDecision {
  const { argv, approvalPolicy, unconfined } = question;
  const cause = `\`${shortName(argv)}\`, for which a rule of the user says to ask,`;
  if (!mayAsk(approvalPolicy, 'rules')) return policyConflict(cause, { approvalPolicy, instead: undefined });
  return {
    kind: 'ask',
    unconfined,
    cause,
    instead: 'choose another way',
    justification: match?.justification,
    proposedRule: undefined,
  };
}

function decideByClass(
  question: CommandQuestion,
  known: {
    readonly reading: CommandReading;
    /** What no rule allows. */
    readonly rest: readonly SimpleCommand[];
    readonly isRuled: boolean;
  },
): CommandDecision {
  const { argv, permissions, settings } = question;
  const { approvalPolicy } = settings;
  const { form, segments } = known.reading;
  // Nothing on the list of plain reading commands gains anything from being let out.
  if (form !== 'heredoc' && form !== 'opaque' && known.rest.every(isSafeCommand))
    return { kind: 'run', unconfined: false };
  // Of a script that a rule covers in part only the other parts count.
  const isDangerous = known.isRuled ? known.rest.some(({ words }) => isDangerousArgv(words)) : isDangerousArgv(argv);
  const reason = isDangerous ? DANGEROUS : approvalPolicy === 'untrusted' ? UNTRUSTED : escalation(question);
  if (reason === undefined) return { kind: 'run', unconfined: permissions.escalated };
  if (!mayAsk(approvalPolicy, 'sandboxApproval')) {
    return policyConflict(reason.cause, { approvalPolicy, instead: reason.instead });
  }
  const { prefixRule } = permissions;
  const proposedRule =
    isDangerous || form === 'heredoc'
      ? undefined
      : proposalFor(known.rest, { prefixRule, isRuled: known.isRuled, segments });
  return { kind: 'ask', unconfined: permissions.escalated, ...reason, justification: undefined, proposedRule };
}

function escalation({ permissions, settings }: CommandQuestion): typeof ESCALATED | undefined {
  return permissions.escalated && settings.sandbox.mode !== 'danger-full-access' ? ESCALATED : undefined;
}

/** The model's rule if it is not too wide and covers everything, else the first command that made somebody ask. */
function proposalFor(
  rest: readonly SimpleCommand[],
  known: {
    readonly prefixRule: readonly string[] | undefined;
    readonly isRuled: boolean;
    readonly segments: readonly SimpleCommand[];
  },
): readonly string[] | undefined {
  const { prefixRule, segments } = known;
  const covers = (rule: readonly string[]): boolean =>
    segments.every(({ words }) => rule.length <= words.length && rule.every((word, index) => words[index] === word));
  if (prefixRule !== undefined && !known.isRuled && !isBannedPrefix(prefixRule) && covers(prefixRule))
    return prefixRule;
  const first = rest.find((segment) => !isSafeCommand(segment));
  return first === undefined || first.hasGlob || isBannedPrefix(first.words) ? undefined : first.words;
}

function mayEscalate(policy: ApprovalPolicy): boolean {
  return policy === 'on-request' || (typeof policy !== 'string' && policy.sandboxApproval);
}

function mayAsk(policy: ApprovalPolicy, kind: 'rules' | 'sandboxApproval'): boolean {
  return typeof policy === 'string' ? policy !== 'never' : policy[kind];
}

function policyConflict(
  cause: string,
  options: { readonly approvalPolicy: ApprovalPolicy; readonly instead: string | undefined },
): CommandDecision {
  const policy = options.approvalPolicy;
  const why =
    typeof policy === 'string' ? `the approval policy is ${policy}` : 'the approval policy switches such questions off';
  return refuse(`${cause} ${needsApproval({ why, instead: options.instead ?? 'choose another way' })}`);
}

function shortName(argv: readonly string[]): string {
  const name = quoteArgv(argv);
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME)}…`;
}

function refuse(reason: string): CommandDecision {
  return { kind: 'refuse', reason: `exec command rejected: ${reason}` };
}
