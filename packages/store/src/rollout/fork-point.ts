import { isUserTurnBoundary } from '@quire/core';
import { decodeLine, FOREIGN_LINE } from './decode-line.ts';
import { type LineageLine, readLineage } from './read-lineage.ts';
import { RolloutError } from './rollout-error.ts';

/** Where a fork leaves its parent. */
export interface ForkPoint {
  readonly parentId: string;
  /** How many lines of the parent the fork takes over. */
  readonly lineCount: number;
  readonly endsInsideTurn: boolean;
  readonly openTurnId: string | undefined;
}

interface ForkPointOptions {
  readonly home: string;
  readonly source: string;
  readonly beforeUserMessage?: number;
  readonly requiresMessage?: boolean;
  readonly signal: AbortSignal;
}

/** A place at which the parent can be cut, and what was open there. */
interface Cut {
  readonly lineCount: number;
  readonly openTurnId: string | undefined;
  readonly endsInsideTurn: boolean;
}

/** Right before something that a person said. */
interface MessageCut extends Cut {
  /** It came into a turn that was running, and is taken back with it. */
  readonly isSteered: boolean;
}

/** @throws RolloutError 'no-such-message', and as `readLineage` does */
export async function findForkPoint(options: ForkPointOptions): Promise<ForkPoint> {
  const scan = new CutScan();
  const meta = await readLineage(options.source, {
    home: options.home,
    signal: options.signal,
    onLine: (line) => {
      scan.add(line);
      return 'continue';
    },
  });
  const { beforeUserMessage, requiresMessage = false } = options;
  const wanted = beforeUserMessage === undefined ? undefined : scan.userMessages[beforeUserMessage];
  if (beforeUserMessage !== undefined && wanted === undefined && requiresMessage) {
    throw noSuchMessage(options.source, { wanted: beforeUserMessage, available: scan.userMessages.length });
  }
  const { lineCount, openTurnId, endsInsideTurn } = wanted ?? scan.end;
  return { parentId: meta.id, lineCount, openTurnId, endsInsideTurn };
}

function noSuchMessage(
  source: string,
  { wanted, available }: { readonly wanted: number; readonly available: number },
): RolloutError {
  const last = available - 1;
  const have =
    available === 0
      ? 'no user message'
      : available === 1
        ? 'only one user message, which is number 0,'
        : `only ${available} user messages, of which the last is number ${last},`;
  return new RolloutError('no-such-message', `this thread has ${have} to fork before, not ${wanted}`, { path: source });
}

const TURN_EVENTS: ReadonlySet<string> = new Set([
  'task_started',
  'turn_started',
  'task_complete',
  'turn_complete',
  'turn_aborted',
  'thread_rolled_back',
]);

class CutScan {
  /** Right before each thing that a person said, as far as it was not rolled back. */
  readonly userMessages: MessageCut[] = [];
  #lineCount = 0;
  #isInsideTurn = false;
  #turnId: string | undefined;
  /** Before the turn began, until somebody said something in it: its context is cut with its first message. */
  #beforeTurn: Cut | undefined;

  get end(): Cut {
    return { lineCount: this.#lineCount, openTurnId: this.#turnId, endsInsideTurn: this.#isInsideTurn };
  }

  add(line: LineageLine): void {
    const { start } = line;
    const isNeeded =
      start === undefined ||
      (start.type === 'event_msg' && TURN_EVENTS.has(start.payloadType ?? '')) ||
      (start.type === 'response_item' && (start.payloadType === 'message' || start.payloadType === 'agent_message'));
    if (isNeeded) this.#look(line.text);
    this.#lineCount += 1;
  }

  #takeBack(turns: number): void {
    for (let left = turns; left > 0 && this.userMessages.length > 0; ) {
      if (this.userMessages.pop()?.isSteered !== true) left -= 1;
    }
  }

  #look(text: string): void {
    const line = decodeLine(text);
    if (line === undefined || line === FOREIGN_LINE) return;
    if (line.type === 'response_item' && isUserTurnBoundary(line.payload)) {
      const isSteered = this.#beforeTurn === undefined && this.#isInsideTurn;
      this.userMessages.push({ ...(this.#beforeTurn ?? this.end), isSteered });
      this.#beforeTurn = undefined;
    }
    if (line.type !== 'event_msg') return;
    switch (line.payload.type) {
      case 'task_started':
      case 'turn_started': {
        this.#beforeTurn = this.end;
        const id = line.payload['turn_id'];
        this.#turnId = typeof id === 'string' ? id : undefined;
        this.#isInsideTurn = true;
        return;
      }
      case 'thread_rolled_back': {
        const turns = line.payload['num_turns'];
        if (typeof turns === 'number' && turns >= 1) this.#takeBack(Math.floor(turns));
        return;
      }
      case 'task_complete':
      case 'turn_complete':
      case 'turn_aborted':
        this.#beforeTurn = undefined;
        this.#turnId = undefined;
        this.#isInsideTurn = false;
    }
  }
}
