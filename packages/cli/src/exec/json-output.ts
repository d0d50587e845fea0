import type { ThreadFacts } from '@quire/agent';
import type { ThreadEvent, TurnOutcome } from '@quire/protocol';
import type { TextSink } from '../process/text-sink.ts';
import type { ExecOutput } from './exec-output.ts';
import { type JsonEvent, JsonEventMapper } from './json-events.ts';
import { safeLine } from './safe-text.ts';

/** Event lines on stdout; the reason of a failed turn once more on stderr, for people who read logs. */
export class JsonOutput implements ExecOutput {
  readonly #mapper: JsonEventMapper;
  readonly #stdout: TextSink;
  readonly #stderr: TextSink;

  constructor(options: { readonly stdout: TextSink; readonly stderr: TextSink; readonly withReceipt: boolean }) {
    this.#mapper = new JsonEventMapper(options);
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
  }

  opened(facts: ThreadFacts): void {
    this.#print(this.#mapper.opened(facts));
  }

  event(event: ThreadEvent): void {
    this.#print(this.#mapper.event(event));
  }

  ended(outcome: TurnOutcome): void {
    this.#print(this.#mapper.ended(outcome));
    if (outcome.kind === 'failed') this.#stderr.write(`quire: ${safeLine(outcome.failure.message)}\n`);
  }

  /** Its id was in the first event. */
  left(): void {
    return;
  }

  #print(events: readonly JsonEvent[]): void {
    for (const event of events) this.#stdout.write(`${JSON.stringify(event)}\n`);
  }
}
