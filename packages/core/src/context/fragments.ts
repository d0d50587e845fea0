/**
 * The messages that the harness writes into history, and how to know them again. One table serves
 * assembling and recognising. Source: the peer's tags, which its rollouts hold.
 */
import type { MessageItem, ResponseItem } from '@quire/protocol';

/** Wrappers of user-role fragments: a text is one when it starts and ends so (trimmed, case ignored). */
const USER_FRAGMENTS: readonly { readonly start: string; readonly end: string }[] = [
  { start: '# AGENTS.md instructions', end: '</INSTRUCTIONS>' },
  { start: '<environment_context>', end: '</environment_context>' },
  { start: '<skill>', end: '</skill>' },
  { start: '<user_shell_command>', end: '</user_shell_command>' },
  { start: '<turn_aborted>', end: '</turn_aborted>' },
  { start: '<subagent_notification>', end: '</subagent_notification>' },
  { start: '<additional_context>', end: '</additional_context>' },
  { start: '<user_instructions>', end: '</user_instructions>' },
];

function isUserFragment(text: string): boolean {
  const trimmed = text.trim().toLowerCase();
  return USER_FRAGMENTS.some(
    ({ start, end }) => trimmed.startsWith(start.toLowerCase()) && trimmed.endsWith(end.toLowerCase()),
  );
}

/** A user-role message that the harness wrote, not a person. */
function isContextualUserMessage(item: ResponseItem): boolean {
  if (item.type !== 'message' || item.role !== 'user') return false;
  return item.content.some((part) => part.type === 'input_text' && isUserFragment(part.text));
}

/** Where a person's turn begins. */
export function isUserTurnBoundary(item: ResponseItem): boolean {
  return item.type === 'message' && item.role === 'user' && !isContextualUserMessage(item);
}

/** One message with a content part for each section that holds something; `undefined` when none does. */
export function messageOfSections(
  role: 'developer' | 'user',
  sections: readonly (string | undefined)[],
): MessageItem | undefined {
  const content = sections
    .filter((text) => text !== undefined && text !== '')
    .map((text) => ({ type: 'input_text' as const, text: text ?? '' }));
  return content.length === 0 ? undefined : { type: 'message', role, content };
}

export function turnAbortedMessage(): MessageItem {
  const text = [
    '<turn_aborted>',
    'The user stopped the previous turn on purpose. Commands that were running were ended and may have done',
    'part of their work; check the state of things before you go on.',
    '</turn_aborted>',
  ].join('\n');
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

const PROJECT_INSTRUCTIONS_START = '# AGENTS.md instructions';

/** The last project instructions that the history holds, as they were sent. */
export function lastProjectInstructions(items: readonly ResponseItem[]): string | undefined {
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index];
    if (item === undefined || !isContextualUserMessage(item) || item.type !== 'message') continue;
    for (const part of item.content) {
      if (part.type === 'input_text' && part.text.startsWith(PROJECT_INSTRUCTIONS_START)) return part.text;
    }
  }
  return undefined;
}

export function projectInstructionsSection(cwd: string, text: string): string {
  return `${PROJECT_INSTRUCTIONS_START} for ${cwd}\n\n<INSTRUCTIONS>\n${text}\n</INSTRUCTIONS>`;
}
