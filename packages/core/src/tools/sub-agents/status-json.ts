import { assertNever, type JsonValue, type MessageItem, type ThreadId } from '@quire/protocol';
import { subagentNotificationMessage } from '../../context/fragments.ts';
import type { SubAgentStatus } from '../../ports/sub-agents.ts';

/** A status in the spelling that models know. Source: sub-agent facts. */
export function statusJson(status: SubAgentStatus): JsonValue {
  switch (status.kind) {
    case 'completed':
      return { completed: status.text ?? null };
    case 'errored':
      return { errored: status.message };
    case 'pending-init':
    case 'running':
    case 'interrupted':
    case 'shutdown':
    case 'not-found':
      return status.kind.replace('-', '_');
    default:
      return assertNever(status, 'statusJson');
  }
}

/** Tells a thread how one of its agents fared. */
export function subAgentNotice(threadId: ThreadId, status: SubAgentStatus): MessageItem {
  return subagentNotificationMessage(JSON.stringify({ agent_id: threadId, status: statusJson(status) }));
}
