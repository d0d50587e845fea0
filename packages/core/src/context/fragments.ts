/**
 * The texts that the harness writes into history. One table serves assembling, recognising, compaction and
 * rollback. Source: the peer's tags, which its rollouts hold; the work ledger is our own.
 */
import type { MessageItem, ResponseItem } from '@quire/protocol';

interface Fragment {
  readonly role: 'developer' | 'user';
  /**
   * `update`: a section of what a turn tells before the user's message. `record`: a message of its own, written
   * when something happened. `foreign`: found in files of other programs or older ones, never written here.
   */
  readonly owner: 'update' | 'record' | 'foreign';
  /** How its text begins; absent: plain text that nothing tells apart. */
  readonly start?: string;
  /** How its text ends. A user fragment is known by both ends, a developer fragment by its start alone. */
  readonly end?: string;
}

/** In the order in which an update tells them. */
const FRAGMENTS = {
  'model-switch': { role: 'developer', owner: 'update', start: '<model_switch>', end: '</model_switch>' },
  permissions: {
    role: 'developer',
    owner: 'update',
    start: '<permissions instructions>',
    end: '</permissions instructions>',
  },
  'developer-instructions': { role: 'developer', owner: 'update' },
  'collaboration-mode': {
    role: 'developer',
    owner: 'update',
    start: '<collaboration_mode>',
    end: '</collaboration_mode>',
  },
  realtime: { role: 'developer', owner: 'foreign', start: '<realtime_conversation>' },
  personality: { role: 'developer', owner: 'update', start: '<personality_spec>', end: '</personality_spec>' },
  skills: { role: 'developer', owner: 'foreign', start: '<skills_instructions>' },
  'multi-agent-mode': { role: 'developer', owner: 'foreign', start: '<multi_agent_mode>' },
  'token-budget': { role: 'developer', owner: 'foreign', start: '<token_budget>' },
  'context-window': { role: 'developer', owner: 'foreign', start: '<context_window>' },
  'rollout-budget': { role: 'developer', owner: 'foreign', start: '<rollout_budget>' },
  // Newer files leave out the directory when only the user's own text exists, so it is no part of the start.
  'project-instructions': {
    role: 'user',
    owner: 'update',
    start: '# AGENTS.md instructions',
    end: '</INSTRUCTIONS>',
  },
  environment: { role: 'user', owner: 'update', start: '<environment_context>', end: '</environment_context>' },
  skill: { role: 'user', owner: 'foreign', start: '<skill>', end: '</skill>' },
  'user-shell': { role: 'user', owner: 'record', start: '<user_shell_command>', end: '</user_shell_command>' },
  'turn-aborted': { role: 'user', owner: 'record', start: '<turn_aborted>', end: '</turn_aborted>' },
  'sub-agent': { role: 'user', owner: 'record', start: '<subagent_notification>', end: '</subagent_notification>' },
  'work-ledger': {
    role: 'user',
    owner: 'record',
    start: '<additional_context>\n<work_ledger>',
    end: '</work_ledger>\n</additional_context>',
  },
  'additional-context': {
    role: 'user',
    owner: 'foreign',
    start: '<additional_context>',
    end: '</additional_context>',
  },
  'user-instructions': { role: 'user', owner: 'foreign', start: '<user_instructions>', end: '</user_instructions>' },
} as const satisfies Readonly<Record<string, Fragment>>;

type Fragments = typeof FRAGMENTS;
type FragmentName = keyof Fragments;
/** The names whose rows are like `Shape`. */
type NamesOf<Shape> = { [Name in FragmentName]: Fragments[Name] extends Shape ? Name : never }[FragmentName];
type TaggedName = NamesOf<{ readonly start: string; readonly end: string }>;
/** A fragment that an update of the context can hold. */
export type UpdateSection = NamesOf<{ readonly owner: 'update' }>;

const ROWS = Object.entries(FRAGMENTS) as readonly (readonly [FragmentName, Fragment])[];

interface Marker {
  readonly name: FragmentName;
  readonly start: string;
  readonly end: string;
}

/** What texts of a role are known by, in lower case. */
function markersOf(role: Fragment['role']): readonly Marker[] {
  return ROWS.flatMap(([name, row]) => {
    if (row.role !== role || row.start === undefined) return [];
    const end = role === 'user' ? (row.end ?? '') : '';
    return [{ name, start: row.start.toLowerCase(), end: end.toLowerCase() }];
  });
}

const USER_MARKERS = markersOf('user');
const DEVELOPER_MARKERS = markersOf('developer');

/** The fragment that `text` is; white space around it and the case of its tags do not matter. */
function fragmentOf(text: string, markers: readonly Marker[]): FragmentName | undefined {
  const trimmed = text.trim();
  return markers.find(
    ({ start, end }) =>
      trimmed.length >= start.length + end.length &&
      trimmed.slice(0, start.length).toLowerCase() === start &&
      (end === '' || trimmed.slice(-end.length).toLowerCase() === end),
  )?.name;
}

function textsOf(item: ResponseItem, role: Fragment['role']): readonly string[] {
  if (item.type !== 'message' || item.role !== role) return [];
  return item.content.flatMap((part) => (part.type === 'input_text' ? [part.text] : []));
}

/** A user-role message that the harness wrote, not a person: one known fragment in it is enough. */
export function isContextualUserMessage(item: ResponseItem): boolean {
  return textsOf(item, 'user').some((text) => fragmentOf(text, USER_MARKERS) !== undefined);
}

/** A developer message of the harness: one known tag in it is enough. */
export function isContextualDeveloperMessage(item: ResponseItem): boolean {
  return textsOf(item, 'developer').some((text) => fragmentOf(text, DEVELOPER_MARKERS) !== undefined);
}

/**
 * A contextual developer message that also holds text of no known tag, such as plain developer instructions.
 * Once it is cut away, only a full context tells that text again.
 */
export function isMixedDeveloperMessage(item: ResponseItem): boolean {
  return (
    isContextualDeveloperMessage(item) &&
    textsOf(item, 'developer').some((text) => fragmentOf(text, DEVELOPER_MARKERS) === undefined)
  );
}

/** Written by the harness about the state of things; compaction drops it and tells it anew. */
export function isContextual(item: ResponseItem): boolean {
  return isContextualUserMessage(item) || isContextualDeveloperMessage(item);
}

/** A message that tells about settings and surroundings before a turn; a record of something that happened is none. */
export function isUpdateMessage(item: ResponseItem): boolean {
  if (isContextualDeveloperMessage(item)) return true;
  const names = textsOf(item, 'user').map((text) => fragmentOf(text, USER_MARKERS));
  return names.length > 0 && names.every((name) => name !== undefined && FRAGMENTS[name].owner === 'update');
}

/** Where a turn begins: a person's message, or a message of another agent. */
export function isUserTurnBoundary(item: ResponseItem): boolean {
  if (item.type === 'unknown') return item.raw['type'] === 'agent_message';
  return item.type === 'message' && item.role === 'user' && !isContextualUserMessage(item);
}

/**
 * At most one developer message, then at most one contextual user message, each with one content part for every
 * section that has text, in the order of the table. Sections come with their tags.
 */
export function updateMessages(
  sections: Readonly<Partial<Record<UpdateSection, string | undefined>>>,
  { omitted = [] }: { readonly omitted?: readonly UpdateSection[] } = {},
): readonly MessageItem[] {
  return (['developer', 'user'] as const).flatMap((role) => {
    const content = ROWS.flatMap(([name, row]) => {
      const section = name as UpdateSection;
      const text = row.role === role && !omitted.includes(section) ? sections[section] : undefined;
      return text === undefined || text === '' ? [] : [{ type: 'input_text' as const, text }];
    });
    return content.length === 0 ? [] : [{ type: 'message' as const, role, content }];
  });
}

/** `body` between the tags of a fragment; nothing is put in between. */
export function wrapFragment(name: TaggedName, body: string): string {
  const { start, end } = FRAGMENTS[name];
  return `${start}${body}${end}`;
}

function recordMessage(name: TaggedName, body: string): MessageItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text: wrapFragment(name, body) }] };
}

export function turnAbortedMessage(): MessageItem {
  const text = [
    '',
    'The user stopped the previous turn on purpose. Commands that were running were ended and may have done',
    'part of their work; check the state of things before you go on.',
    '',
  ].join('\n');
  return recordMessage('turn-aborted', text);
}

/** Tells a thread how one of its sub-agents fared. */
export function subagentNotificationMessage(text: string): MessageItem {
  return recordMessage('sub-agent', `\n${text}\n`);
}

/** What a command that the user ran by hand came to. Source: observed with the peer. */
export function userShellMessage(run: {
  readonly command: string;
  /** -1 when the user stopped it. */
  readonly exitCode: number;
  readonly durationMs: number;
  /** Already cut to the model's policy. */
  readonly output: string;
}): MessageItem {
  const lines = [
    '',
    '<command>',
    run.command,
    '</command>',
    '<result>',
    `Exit code: ${run.exitCode}`,
    `Duration: ${(run.durationMs / 1000).toFixed(4)} seconds`,
    'Output:',
    run.output,
    '</result>',
    '',
  ];
  return recordMessage('user-shell', lines.join('\n'));
}

/** What the program itself knows of the work, for the time after a compaction. */
export function workLedgerMessage(text: string): MessageItem {
  return recordMessage('work-ledger', `\n${text}\n`);
}

export function isWorkLedger(item: ResponseItem): boolean {
  return textsOf(item, 'user').some((text) => fragmentOf(text, USER_MARKERS) === 'work-ledger');
}

/** The texts of one kind of user fragment, newest first. */
export function* fragmentsFromEnd(
  items: readonly ResponseItem[],
  name: NamesOf<{ readonly role: 'user' }>,
): Generator<string> {
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index];
    if (item === undefined) continue;
    for (const text of textsOf(item, 'user')) if (fragmentOf(text, USER_MARKERS) === name) yield text;
  }
}

const INSTRUCTIONS_HEAD = '\n\n<INSTRUCTIONS>\n';

/** `cwd` absent: a heading without directory, as newer files have it for the user's own text. */
export function projectInstructionsSection(cwd: string | undefined, text: string): string {
  const place = cwd === undefined ? '' : ` for ${cwd}`;
  return wrapFragment('project-instructions', `${place}${INSTRUCTIONS_HEAD}${text}\n`);
}

/** The text in such a section, without its heading. */
export function projectInstructionsText(section: string): string {
  const start = section.indexOf(INSTRUCTIONS_HEAD);
  const end = section.lastIndexOf(`\n${FRAGMENTS['project-instructions'].end}`);
  return start < 0 || end < start ? '' : section.slice(start + INSTRUCTIONS_HEAD.length, end);
}
