import type { MessageItem, ThreadEvent, TurnId, UserInput } from '@quire/protocol';
import type { ApprovalDesk } from '../approval/approval-desk.ts';
import { inputText, userMessage } from '../context/user-message.ts';
import { imageNote } from '../model/turn/images.ts';
import { effectiveTruncation } from '../tools/effective-truncation.ts';
import { userMessageEvent } from './rollout-events.ts';
import type { ThreadSettings } from './settings.ts';
import type { TaskTrace } from './task-trace.ts';
import type { ThreadPorts } from './thread-ports.ts';
import type { ThreadRecord } from './thread-record.ts';
import type { ThreadState } from './thread-state.ts';
import type { TurnEvents } from './turn-events.ts';

export interface TaskRequest {
  /** Interrupts the task. */
  readonly signal: AbortSignal;
  /** Called synchronously for each event, in order. Must not throw. Not called after the task settled. */
  readonly onEvent: (event: ThreadEvent) => void;
}

/** What came while a task ran and waits for its place in the history. */
export type PendingInput =
  | { readonly kind: 'user'; readonly input: readonly UserInput[] }
  | { readonly kind: 'message'; readonly item: MessageItem };

/** What occupies a thread: one submission and everything done for it. */
export interface Task {
  readonly turnId: TurnId;
  readonly signal: AbortSignal;
  /** Ends the task as if its person had interrupted it. */
  readonly interrupt: () => void;
  readonly settings: ThreadSettings;
  readonly events: TurnEvents;
  readonly record: ThreadRecord;
  readonly state: ThreadState;
  readonly ports: ThreadPorts;
  readonly pending: PendingInput[];
  readonly approvals: ApprovalDesk;
  /** Absent: nothing is recorded. */
  readonly trace: TaskTrace | undefined;
}

/** Puts what a person said into the history and announces it. */
export function recordInput(task: Task, input: readonly UserInput[]): void {
  const text = inputText(input);
  const images = input.filter((part) => part.kind === 'image');
  const note = images.length === 0 ? undefined : imageNote(task.settings.model);
  if (note !== undefined) task.events.warn(note);
  task.record.add([userMessage(input)], effectiveTruncation(task.settings), [userMessageEvent(text, images)]);
  task.state.ledger.noteUserInput();
  task.trace?.prompt(text);
  task.events.end({ kind: 'user-message', id: task.ports.entropy.uuid(), text, imageCount: images.length });
}

/** Records what is pending; `false`: nothing was. */
export function recordPending(task: Task): boolean {
  const pending = task.pending.splice(0);
  for (const entry of pending) {
    if (entry.kind === 'user') recordInput(task, entry.input);
    else task.record.add([entry.item], effectiveTruncation(task.settings));
  }
  return pending.length > 0;
}
