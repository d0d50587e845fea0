import { saidByPeople, type Thread } from '@quire/core';
import { startApart } from '@quire/host';
import type { ThreadEvent, ThreadId } from '@quire/protocol';
import { createRedactor, type KnownValues, type Redactor } from '@quire/store';
import type { Environment } from './environment.ts';

export interface TurnNotifierOptions {
  readonly argv: readonly string[];
  readonly environment: Environment;
  readonly threadId: ThreadId;
  /** Who embeds the runtime. */
  readonly client: string;
  readonly thread: Pick<Thread, 'history' | 'settings'>;
  /** Must not be told. */
  readonly secrets: KnownValues;
  readonly onProblem: (message: string) => void;
}

/** What one argument may take; Linux has room for 128 KiB. Bytes. */
const MAX_BYTES = 120_000;
/** Of a message that is too long, and how many messages there are then. */
const SHORT_CHARACTERS = 1_000;
const MAX_MESSAGES = 20;

type CompletedTurn = Extract<ThreadEvent, { readonly kind: 'turn-end' }>;

/**
 * Starts the program of the setting `notify` when a turn is completed, with what it was as its last argument. Nobody
 * waits for it. Source for names and for what is told: observed, peer 0.169.
 */
export class TurnNotifier {
  readonly #options: TurnNotifierOptions;
  readonly #redactor: Redactor;

  constructor(options: TurnNotifierOptions) {
    this.#options = options;
    this.#redactor = createRedactor(options.secrets);
  }

  /**
   * The listener of a task; the program is started right before it hears of the end.
   *
   * @param question what was asked, when it is not in the history
   */
  overhear(onEvent: (event: ThreadEvent) => void, question?: string): (event: ThreadEvent) => void {
    return (event) => {
      if (event.kind === 'turn-end' && event.outcome.kind === 'completed') this.#tell(event, question);
      onEvent(event);
    };
  }

  #tell(turn: CompletedTurn, question: string | undefined): void {
    const { argv, environment, thread, onProblem } = this.#options;
    const { cwd } = thread.settings;
    const isStarted = startApart({ argv: [...argv, this.#describe(turn, question)], cwd, environment });
    if (!isStarted)
      onProblem(`the program of notify could not be started: ${argv[0] ?? ''}; look at notify in config.toml`);
  }

  #describe({ turnId, outcome }: CompletedTurn, question: string | undefined): string {
    const { threadId, client, thread } = this.#options;
    const last = outcome.kind === 'completed' ? outcome.lastAgentMessage : undefined;
    const describe = (inputs: readonly string[], shorten: (text: string) => string): string =>
      JSON.stringify({
        type: 'agent-turn-complete',
        'thread-id': threadId,
        'turn-id': turnId,
        cwd: thread.settings.cwd,
        client,
        'input-messages': inputs.map(shorten),
        'last-assistant-message': last === undefined ? null : shorten(last),
      });
    const plain = (text: string): string => this.#redactor.redactText(text);
    const inputs = question === undefined ? saidByPeople(thread.history) : [question];
    const whole = describe(inputs, plain);
    if (Buffer.byteLength(whole) <= MAX_BYTES) return whole;
    return describe(inputs.slice(-MAX_MESSAGES), (text) => shortened(plain(text)));
  }
}

function shortened(text: string): string {
  return text.length <= SHORT_CHARACTERS ? text : `${text.slice(0, SHORT_CHARACTERS).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
