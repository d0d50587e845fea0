import type { TokenUsage } from '@quire/protocol';
import type { ModelTurn } from '../ports/model-port.ts';
import type { CallContext, ToolRouter } from '../tools/tool-router.ts';
import type { LedgerKeeper } from './ledger-keeper.ts';
import type { LineNotices } from './line-notices.ts';
import { tokenCount } from './rollout-events.ts';
import type { ThreadSettings } from './settings.ts';
import type { ThreadPorts } from './thread-ports.ts';
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
  readonly context: CallContext;
  readonly modelTurn: ModelTurn;
  readonly ports: ThreadPorts;
  readonly notices: LineNotices;
  readonly #usage: UsageMeter;
  readonly #ledger: LedgerKeeper;
  readonly #diff: TurnDiff;
  #shownDiff: string | undefined;

  constructor(
    parts: Pick<
      TurnScope,
      'settings' | 'events' | 'record' | 'router' | 'context' | 'modelTurn' | 'ports' | 'notices'
    > & {
      readonly usage: UsageMeter;
      readonly ledger: LedgerKeeper;
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
    this.notices = parts.notices;
    this.#usage = parts.usage;
    this.#ledger = parts.ledger;
    this.#diff = parts.diff;
  }

  /** The end of a sampling attempt, after its tools: counts what it used and shows what files became. */
  endSampling(usage: TokenUsage | undefined): void {
    const { turnId } = this.events;
    const counted = usage === undefined ? undefined : this.#usage.add(usage);
    if (usage !== undefined) this.ports.budget?.spend(usage);
    this.record.write([tokenCount(this.#usage.current, this.notices.rateLimits)]);
    if (counted !== undefined) this.events.emit({ kind: 'token-usage', turnId, usage: counted });
    const unifiedDiff = this.#diff.render(this.settings.environment.git?.root ?? this.settings.cwd);
    if (unifiedDiff === undefined || unifiedDiff === this.#shownDiff) return;
    this.#shownDiff = unifiedDiff;
    this.events.emit({ kind: 'turn-diff', turnId, unifiedDiff });
  }

  /** Tools have run: what they read and did goes into the ledger while the files are as they saw them. */
  async afterTools(): Promise<void> {
    const { settings, record, context, ports } = this;
    if (settings.compaction.strategies.length === 0 || context.signal.aborted) return;
    const { signal } = context;
    try {
      await this.#ledger.catchUp(record.history.items, { cwd: settings.cwd, digests: ports.digests, signal });
    } catch (error) {
      // A stop during the digests; whoever goes on sees the signal.
      if (!signal.aborted) throw error;
    }
  }

  noteReasoningIncluded(): void {
    this.#usage.noteReasoningIncluded();
  }
}
