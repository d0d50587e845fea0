import type { RateLimitSnapshot, RequestReceipt, TokenUsage } from '@quire/protocol';
import type { Clock, Entropy } from '../ports/clock.ts';
import type { CommandRunner } from '../ports/command-runner.ts';
import type { ModelTurn } from '../ports/model-port.ts';
import type { ToolContext } from '../tools/tool.ts';
import type { ToolRouter } from '../tools/tool-router.ts';
import { tokenCount } from './rollout-events.ts';
import type { ThreadSettings } from './settings.ts';
import type { ThreadRecord } from './thread-record.ts';
import type { TurnDiff } from './turn-diff.ts';
import type { TurnEvents } from './turn-events.ts';
import type { UsageMeter } from './usage-meter.ts';

/** What the parts of one turn share. It lives exactly as long as the turn. */
export class TurnScope {
  readonly settings: ThreadSettings;
  readonly events: TurnEvents;
  readonly record: ThreadRecord;
  readonly router: ToolRouter;
  readonly context: ToolContext;
  readonly modelTurn: ModelTurn;
  readonly ports: { readonly clock: Clock; readonly entropy: Entropy; readonly runner: CommandRunner };
  readonly #usage: UsageMeter;
  readonly #diff: TurnDiff;
  #shownDiff: string | undefined;
  #rateLimits: RateLimitSnapshot | undefined;
  #warnedOfModel = false;
  readonly #receipts: RequestReceipt[] = [];

  constructor(
    parts: Pick<TurnScope, 'settings' | 'events' | 'record' | 'router' | 'context' | 'modelTurn' | 'ports'> & {
      readonly usage: UsageMeter;
      readonly diff: TurnDiff;
    },
  ) {
    this.settings = parts.settings;
    this.events = parts.events;
    this.record = parts.record;
    this.router = parts.router;
    this.context = parts.context;
    this.modelTurn = parts.modelTurn;
    this.ports = parts.ports;
    this.#usage = parts.usage;
    this.#diff = parts.diff;
  }

  /** The end of a sampling attempt, after its tools: counts what it used and shows what files became. */
  endSampling(usage: TokenUsage | undefined): void {
    const { turnId } = this.events;
    const counted = usage === undefined ? undefined : this.#usage.add(usage);
    this.record.write([tokenCount(this.#usage.current, this.#rateLimits)]);
    if (counted !== undefined) this.events.emit({ kind: 'token-usage', turnId, usage: counted });
    const unifiedDiff = this.#diff.render(this.settings.environment.git?.root ?? this.settings.cwd);
    if (unifiedDiff === undefined || unifiedDiff === this.#shownDiff) return;
    this.#shownDiff = unifiedDiff;
    this.events.emit({ kind: 'turn-diff', turnId, unifiedDiff });
  }

  noteReceipt(receipt: RequestReceipt): void {
    this.#receipts.push(receipt);
  }

  /** Announces what the requests of the turn cost. */
  showReceipts(): void {
    const requests = this.#receipts.splice(0);
    if (requests.length > 0) this.events.emit({ kind: 'turn-receipt', turnId: this.events.turnId, requests });
  }

  noteRateLimits(snapshot: RateLimitSnapshot): void {
    this.#rateLimits = snapshot;
    this.events.emit({ kind: 'rate-limits', turnId: this.events.turnId, snapshot });
  }

  /** One neutral notice a turn when another model answers than the one asked for. */
  noteServedModel(model: string): void {
    const requested = this.settings.model.slug;
    if (this.#warnedOfModel || model.toLowerCase() === requested.toLowerCase()) return;
    this.#warnedOfModel = true;
    this.events.warn(`The provider answered with model ${model}; ${requested} was asked for.`);
  }
}
