import type { ApprovalDecision, ApprovalRequest } from '../ports/approvals.ts';
import type { CommandRules } from '../ports/command-rules.ts';
import type { Confinement } from '../ports/command-runner.ts';
import type { ToolContext } from '../tools/tool.ts';
import { isBannedPrefix } from './banned-prefixes.ts';
import type { AttemptResult, CommandAttempt } from './command-attempt.ts';
import { confinementOf } from './confinement.ts';
import {
  asksAfterDenial,
  type CommandDecision,
  decideCommand,
  isAllowedByRules,
  proposeRule,
} from './decide-command.ts';
import { needsApproval } from './needs-approval.ts';
import { rejectedByUser } from './rejected-by-user.ts';
import { wasDeniedBySandbox } from './sandbox-denial.ts';

const SANDBOX_IN_THE_WAY = 'the sandbox seems to have stopped the command; it would run again, without the sandbox';

/** What a person sees of a command, and what approvals for the session are remembered by. */
interface ShownCommand {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly tty: boolean;
}

/** One command on its way: decided about, asked about, run, and perhaps run once more. */
export class Authorization<Outcome> {
  readonly #attempt: CommandAttempt<Outcome>;
  readonly #context: ToolContext;
  /** A copy: nothing that changes later can slip in behind a decision. */
  readonly #shown: ShownCommand;

  constructor(attempt: CommandAttempt<Outcome>, context: ToolContext) {
    this.#attempt = attempt;
    this.#context = context;
    this.#shown = shownCommand(attempt);
  }

  async run(): Promise<AttemptResult<Outcome>> {
    const { approvals, settings } = this.#context;
    const { argv } = this.#shown;
    const { permissions } = this.#attempt;
    await approvals.rules?.load?.();
    const decision = decideCommand({ argv, permissions, settings, rules: approvals.rules });
    if (decision.kind === 'refuse') {
      this.#context.noteDecision?.('denied', 'settings');
      return { kind: 'refused', reason: decision.reason };
    }
    // Whoever allowed it without the sandbox for the session need not see it fail inside again.
    const wasLetOut = asksAfterDenial(settings.approvalPolicy) && approvals.isAllowed(this.#keys({ unconfined: true }));
    if (wasLetOut || decision.kind === 'run') this.#context.noteDecision?.('approved', 'settings');
    if (wasLetOut) return this.#execute({ kind: 'none' });
    if (decision.kind === 'ask') {
      const refusal = await this.#askFirst(decision);
      if (refusal !== undefined) return { kind: 'refused', reason: refusal };
    }
    return this.#runAndLook(decision.unconfined ? { kind: 'none' } : confinementOf(settings));
  }

  /** @returns why it may not run */
  async #askFirst(question: Extract<CommandDecision, { kind: 'ask' }>): Promise<string | undefined> {
    const { approvals, settings } = this.#context;
    const unconfined = question.unconfined || confinementOf(settings).kind === 'none';
    if (approvals.isUnattended) {
      const { cause, instead } = question;
      this.#context.noteDecision?.('denied', 'settings');
      return `exec command rejected: ${cause} ${needsApproval({ why: 'nobody is there to give it', instead })}`;
    }
    const { proposedRule, justification } = question;
    const reason = this.#attempt.permissions.justification ?? justification;
    const decision = await this.#ask({ unconfined, proposedRule, reason });
    if (decision.kind === 'aborted') {
      this.#context.interrupt();
      return 'aborted by user';
    }
    if (decision.kind !== 'denied') return undefined;
    return rejectedByUser('exec command', decision);
  }

  async #runAndLook(confinement: Confinement): Promise<AttemptResult<Outcome>> {
    const first = await this.#execute(confinement);
    if (first.kind === 'refused' || confinement.kind === 'none') return first;
    const result = this.#attempt.resultOf(first.outcome);
    if (result === undefined || !wasDeniedBySandbox(result)) return first;
    return (await this.#mayGoWithout()) ? this.#execute({ kind: 'none' }) : first;
  }

  /** After the sandbox was in the way. Without a yes the result of the first run stands: it is what happened. */
  async #mayGoWithout(): Promise<boolean> {
    const { approvals, settings } = this.#context;
    const { argv } = this.#shown;
    const { permissions } = this.#attempt;
    if (isAllowedByRules(argv, approvals.rules)) return true;
    if (!asksAfterDenial(settings.approvalPolicy) || approvals.isUnattended) return false;
    const proposedRule = proposeRule({ argv, permissions, rules: approvals.rules });
    const decision = await this.#ask({ unconfined: true, proposedRule, reason: SANDBOX_IN_THE_WAY });
    if (decision.kind === 'aborted') this.#context.interrupt();
    return decision.kind !== 'aborted' && decision.kind !== 'denied';
  }

  async #ask(
    question: Pick<Extract<ApprovalRequest, { kind: 'command' }>, 'unconfined' | 'proposedRule' | 'reason'>,
  ): Promise<ApprovalDecision> {
    const { approvals, turnId, signal } = this.#context;
    const { argv, cwd, environment } = this.#shown;
    const { callId } = this.#attempt;
    const request = { kind: 'command', turnId, callId, argv, cwd, environment, ...question } as const;
    const keys = this.#keys({ unconfined: question.unconfined });
    const decision = await approvals.ask(request, { keys, signal });
    this.#context.noteDecision?.(decision.kind, 'person');
    if (decision.kind === 'approved-with-rule') await this.#addRule(decision.rule);
    return decision;
  }

  /** The command runs either way; that a rule could not be kept is said. */
  async #addRule(rule: readonly string[]): Promise<void> {
    const { approvals, emit, turnId } = this.#context;
    const problem = await whyNotKept(rule, approvals.rules);
    if (problem !== undefined) emit({ kind: 'warning', turnId, message: problem });
  }

  async #execute(confinement: Confinement): Promise<AttemptResult<Outcome>> {
    this.#context.signal.throwIfAborted();
    if (JSON.stringify(shownCommand(this.#attempt)) !== JSON.stringify(this.#shown)) {
      return { kind: 'refused', reason: 'exec command rejected: the command changed after it was decided about' };
    }
    return { kind: 'ran', outcome: await this.#attempt.execute(confinement) };
  }

  #keys({ unconfined }: { readonly unconfined: boolean }): readonly string[] {
    return [`command:${JSON.stringify({ ...this.#shown, unconfined })}`];
  }
}

function shownCommand(attempt: Pick<CommandAttempt<never>, 'argv' | 'cwd' | 'environment' | 'tty'>): ShownCommand {
  const { argv, cwd, environment = {}, tty = false } = attempt;
  const sorted = Object.entries(environment).sort(([left], [right]) => (left < right ? -1 : 1));
  return { argv: Object.freeze([...argv]), cwd, environment: Object.freeze(Object.fromEntries(sorted)), tty };
}

/** Keeps the rule, or says why it could not. */
async function whyNotKept(rule: readonly string[], rules: CommandRules | undefined): Promise<string | undefined> {
  if (rules === undefined) return 'the rule was not kept: there is no place for rules';
  if (isBannedPrefix(rule)) {
    return `the rule ${JSON.stringify(rule)} was not kept: it would allow everything; the command was allowed once`;
  }
  try {
    await rules.allow(rule);
    return undefined;
  } catch (error) {
    return `the rule was not written: ${error instanceof Error ? error.message : String(error)}`;
  }
}
