import type { ThreadFacts } from '@quire/agent';
import type { ThreadEvent, TurnOutcome } from '@quire/protocol';

/**
 * What a run is shown with. Calls come in this order: `opened`, any `event`, `ended`; or `opened`, `left`. None of them
 * throws.
 */
export interface ExecOutput {
  /** Without a prompt the thread is asked for something else, of which its events tell. */
  opened(facts: ThreadFacts, prompt: ShownPrompt | undefined): void;
  /** Every event of the turn but its `turn-end`. */
  event(event: ThreadEvent): void;
  /** Exactly once, also when the runtime did not report an end itself. */
  ended(outcome: TurnOutcome): void;
  /** Nothing was asked of the thread. */
  left(facts: ThreadFacts): void;
}

export interface ShownPrompt {
  /** What the person wrote. */
  readonly text: string;
  /** Size of what came from stdin beside the prompt, in characters; 0 without. */
  readonly attachedCharacters: number;
  readonly imageCount: number;
}
