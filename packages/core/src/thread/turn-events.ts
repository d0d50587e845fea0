import { assertNever, type ThreadEvent, type TurnId, type TurnItem } from '@quire/protocol';

/** Announces the events of one turn and knows which items are still open. */
export class TurnEvents {
  readonly turnId: TurnId;
  readonly #onEvent: (event: ThreadEvent) => void;
  readonly #open = new Map<string, TurnItem>();

  constructor(turnId: TurnId, onEvent: (event: ThreadEvent) => void) {
    this.turnId = turnId;
    this.#onEvent = onEvent;
  }

  readonly emit = (event: ThreadEvent): void => {
    if (event.kind === 'item-start') this.#open.set(event.item.id, event.item);
    else if (event.kind === 'item-update') this.#open.set(event.item.id, event.item);
    else if (event.kind === 'item-end') this.#open.delete(event.item.id);
    this.#onEvent(event);
  };

  isOpen(itemId: string): boolean {
    return this.#open.has(itemId);
  }

  start(item: TurnItem): void {
    this.emit({ kind: 'item-start', turnId: this.turnId, item });
  }

  end(item: TurnItem): void {
    this.emit({ kind: 'item-end', turnId: this.turnId, item });
  }

  /** The item will have no end: what it stood for did not happen. */
  forget(itemId: string): void {
    this.#open.delete(itemId);
  }

  warn(message: string): void {
    this.emit({ kind: 'warning', turnId: this.turnId, message });
  }

  /** Model output that was begun and cut off by a broken stream is void: it comes again, or not at all. */
  forgetModelItems(): void {
    for (const [id, item] of this.#open) {
      if (item.kind === 'agent-message' || item.kind === 'reasoning' || item.kind === 'web-search')
        this.#open.delete(id);
    }
  }

  /** Ends whatever is open at the end of a turn, so that every announced action has an end. */
  settle(): void {
    this.forgetModelItems();
    for (const item of [...this.#open.values()]) this.end(settled(item));
  }
}

function settled(item: TurnItem): TurnItem {
  switch (item.kind) {
    case 'command-execution':
    case 'file-change':
    case 'mcp-tool-call':
    case 'dynamic-tool-call':
    case 'javascript':
      return item.status === 'in-progress' ? { ...item, status: 'failed' } : item;
    case 'sub-agent':
      return item.status === 'in-progress' ? { ...item, status: 'failed' } : item;
    case 'user-message':
    case 'agent-message':
    case 'reasoning':
    case 'web-search':
    case 'plan':
    case 'image-view':
    case 'tool-error':
    case 'context-compaction':
    case 'review-start':
    case 'review-end':
      return item;
    default:
      return assertNever(item, 'settled');
  }
}
