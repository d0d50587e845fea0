import type { ApprovalPolicy, SandboxMode, SandboxPolicy, ThreadEvent, TurnId } from '@quire/protocol';
import { ApprovalDesk, type ApprovalDeskPorts } from '../../src/approval/approval-desk.ts';
import { matchRules, type PrefixRule } from '../../src/exec-policy/index.ts';
import type { ApprovalDecision, ApprovalRequest, Approvals } from '../../src/ports/approvals.ts';
import type { CommandRules, RuleDecision } from '../../src/ports/command-rules.ts';
import type { ThreadSettings } from '../../src/thread/settings.ts';
import type { ToolContext } from '../../src/tools/tool.ts';
import { settings } from '../thread/harness.ts';

export const TURN = 'turn-1' as TurnId;

export function granular(switches: { readonly sandboxApproval: boolean; readonly rules: boolean }): ApprovalPolicy {
  return { kind: 'granular', mcpElicitations: true, requestPermissions: true, skillApproval: true, ...switches };
}

export function sandboxPolicy(mode: SandboxMode, writableRoots: readonly string[] = []): SandboxPolicy {
  return { mode, writableRoots, networkAccess: false, excludeTmpdirEnvVar: false, excludeSlashTmp: false };
}

/** Rules that live in memory. */
export class MemoryRules implements CommandRules {
  readonly allowed: (readonly string[])[] = [];
  failure: Error | undefined;
  #rules: readonly PrefixRule[];

  constructor(rules: readonly (readonly [decision: RuleDecision, ...prefix: string[]])[] = []) {
    this.#rules = rules.map(([decision, ...prefix]) => rule(decision, prefix));
  }

  matches(words: readonly string[]): ReturnType<CommandRules['matches']> {
    return matchRules({ prefixRules: this.#rules, hostExecutables: new Map(), networkRules: [] }, words);
  }

  async allow(prefix: readonly string[]): Promise<void> {
    this.#rules = [...this.#rules, rule('allow', prefix)];
    this.allowed.push(prefix);
    if (this.failure !== undefined) throw this.failure;
  }
}

function rule(decision: RuleDecision, prefix: readonly string[]): PrefixRule {
  return {
    pattern: prefix.map((word) => [word]),
    decision,
    justification: decision === 'allow' ? undefined : `because of ${prefix.join(' ')}`,
  };
}

/** Answers in turn, and keeps what was asked. The last answer is given again and again. */
type Answering = (request: ApprovalRequest) => ApprovalDecision | Promise<ApprovalDecision>;

export class ScriptedApprovals implements Approvals {
  readonly requests: ApprovalRequest[] = [];
  readonly #answers: (ApprovalDecision | Answering)[];

  constructor(...answers: readonly (ApprovalDecision['kind'] | Answering | ApprovalDecision)[]) {
    this.#answers = answers.map((answer) =>
      typeof answer === 'string' ? ({ kind: answer } as ApprovalDecision) : answer,
    );
  }

  async ask(request: ApprovalRequest): Promise<ApprovalDecision> {
    this.requests.push(request);
    const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
    if (answer === undefined) throw new Error('nothing should have been asked');
    return typeof answer === 'function' ? answer(request) : answer;
  }
}

export interface TestContext extends ToolContext {
  readonly events: ThreadEvent[];
  readonly stop: AbortController;
}

/** A turn that can be interrupted, with a desk of its own. */
export function toolContext(
  ports: ApprovalDeskPorts,
  changes: Partial<ThreadSettings> = {},
  approvals: ApprovalDesk = new ApprovalDesk(ports),
): TestContext {
  const stop = new AbortController();
  const events: ThreadEvent[] = [];
  return {
    turnId: TURN,
    settings: settings({
      cwd: '/repo',
      temporaryRoots: [],
      sandbox: sandboxPolicy('workspace-write'),
      approvalPolicy: 'on-request',
      ...changes,
    }),
    signal: stop.signal,
    emit: (event) => events.push(event),
    approvals,
    interrupt: () => stop.abort(new Error('interrupted')),
    dispatch: async () => ({ output: '', endItem: undefined }),
    events,
    stop,
  };
}
