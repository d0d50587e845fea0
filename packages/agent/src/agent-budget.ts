import type { Clock, RequestBudget } from '@quire/core';
import type { TokenUsage } from '@quire/protocol';
import type { Config } from '@quire/store';

type BudgetLimits = Pick<Config, 'agentsMaxTokens' | 'agentsMaxRequests' | 'agentsMaxSeconds'>;

/** What a thread and all its sub-agents may use up together. */
export class AgentBudget implements RequestBudget {
  readonly #limits: BudgetLimits;
  readonly #clock: Pick<Clock, 'now'>;
  #tokens = 0;
  #requests = 0;
  #startedAtMs: number | undefined;

  constructor(limits: BudgetLimits, clock: Pick<Clock, 'now'>) {
    this.#limits = limits;
    this.#clock = clock;
  }

  refusal(): string | undefined {
    const { agentsMaxTokens, agentsMaxRequests, agentsMaxSeconds } = this.#limits;
    if (agentsMaxTokens !== undefined && this.#tokens >= agentsMaxTokens) {
      return usedUp(`${agentsMaxTokens} tokens`, 'agents.max_tokens', `; ${this.#tokens} were used`);
    }
    if (agentsMaxRequests !== undefined && this.#requests >= agentsMaxRequests) {
      return usedUp(`${agentsMaxRequests} requests`, 'agents.max_requests');
    }
    const now = this.#clock.now();
    this.#startedAtMs ??= now;
    if (agentsMaxSeconds !== undefined && now - this.#startedAtMs >= agentsMaxSeconds * 1_000) {
      return usedUp(`${agentsMaxSeconds} seconds`, 'agents.max_seconds');
    }
    this.#requests += 1;
    return undefined;
  }

  spend(usage: TokenUsage): void {
    this.#tokens += usage.totalTokens;
  }
}

function usedUp(amount: string, key: string, detail = ''): string {
  return `this thread and its agents have used up their budget of ${amount}${detail}; set a higher ${key}, or begin a new thread`;
}
