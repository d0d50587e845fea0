/** Long threads that never happened, line by line in the file format of each client. */
import { COMPACTED_HISTORY, LONG_HISTORY } from './sizes.js';

/**
 * @typedef {{ id: string, cwd: string }} HistoryPlace `id` is the thread's
 * @typedef {{ path: string, lines: Iterable<string> }} HistoryFile
 *   `path` is relative to the client's home; `lines` are without their line feeds and are read once
 * @typedef {'long' | 'compacted'} HistoryKind
 *   `compacted`: all but the last few turns was replaced by a summary, and is in the file all the same
 * @typedef {{ itemsPerTurn: number, outputBytes: number }} TurnSize
 */

const STARTED_AT_MS = Date.UTC(2026, 0, 15, 10);
const SUMMARY = 'Summary of the work: every part was looked at and is fine.';

const promptOf = (/** @type {number} */ turn) => `Prompt number ${turn}: look into the next part of the program.`;
const answerOf = (/** @type {number} */ turn) =>
  `Answer number ${turn}: this part is fine, and here is why in one sentence.`;
const commandOf = (/** @type {number} */ pair) => `sed -n '${pair},${pair + 40}p' src/part-${pair}.ts`;
const pairsOf = (/** @type {TurnSize} */ { itemsPerTurn }) => (itemsPerTurn - 2) / 2;

/** @param {number} turn @param {number} pair @param {TurnSize} size */
function outputOf(turn, pair, { outputBytes }) {
  const unit = `export const part${pair} = ${turn};\nexport function use${pair}(value: number): number {\n  return value + part${pair};\n}\n`;
  return unit.repeat(Math.max(1, Math.round(outputBytes / unit.length)));
}

/** Whether a request carries all that is left of the thread. @param {HistoryKind} kind @param {readonly unknown[]} input */
export function isHistoryPresent(kind, input) {
  const text = JSON.stringify([input.slice(0, 100), input.slice(-100)]);
  if (kind === 'long') {
    const { turns, itemsPerTurn } = LONG_HISTORY;
    return (
      input.length >= turns * itemsPerTurn &&
      text.includes(promptOf(/* turn */ 0)) &&
      text.includes(answerOf(turns - 1))
    );
  }
  const { turns, itemsPerTurn, turnsBehind } = COMPACTED_HISTORY;
  const isShort = input.length < (turnsBehind + 1) * itemsPerTurn;
  return isShort && text.includes(SUMMARY) && text.includes(answerOf(turns + turnsBehind - 1));
}

/**
 * A rollout of version 0.104: its items, and the events that a terminal would show again.
 * Source: facts of the rollout format; both `quire` and the peer read this file.
 * @param {HistoryKind} kind
 * @param {HistoryPlace} place
 * @returns {HistoryFile}
 */
export function createRollout(kind, { id, cwd }) {
  const started = new Date(STARTED_AT_MS).toISOString();
  const name = `rollout-${started.slice(0, 19).replaceAll(':', '-')}-${id}.jsonl`;
  return { path: `sessions/2026/01/15/${name}`, lines: encodeLines(rolloutLines(kind, { id, cwd, started })) };
}

/** @typedef {{ type: string, payload: Record<string, unknown> }} Line */

/** @param {Iterable<Line>} lines */
function* encodeLines(lines) {
  let timeMs = STARTED_AT_MS;
  for (const { type, payload } of lines) {
    timeMs += 10;
    yield JSON.stringify({ timestamp: new Date(timeMs).toISOString(), type, payload });
  }
}

/** @param {HistoryKind} kind @param {HistoryPlace & { started: string }} place @returns {Generator<Line>} */
function* rolloutLines(kind, { id, cwd, started }) {
  const origin = { originator: 'codex_exec', cli_version: '0.104.0', source: 'exec', model_provider: 'bench' };
  yield { type: 'session_meta', payload: { id, timestamp: started, cwd, ...origin } };
  const size = kind === 'long' ? LONG_HISTORY : COMPACTED_HISTORY;
  for (let turn = 0; turn < size.turns; turn += 1) yield* rolloutTurn({ turn, cwd, size });
  if (kind === 'long') return;
  yield* compactionTask(size.turns);
  for (let turn = 0; turn < COMPACTED_HISTORY.turnsBehind; turn += 1) {
    yield* rolloutTurn({ turn: size.turns + turn, cwd, size });
  }
}

/** A compaction that a person asked for. @param {number} turn its number @returns {Generator<Line>} */
function* compactionTask(turn) {
  const kept = [promptOf(turn - 1), SUMMARY].map((text) => ({
    type: 'message',
    role: 'user',
    content: [{ type: 'input_text', text }],
  }));
  yield taskStarted('compaction');
  yield { type: 'compacted', payload: { message: SUMMARY, replacement_history: kept } };
  yield { type: 'event_msg', payload: { type: 'context_compacted' } };
  yield { type: 'event_msg', payload: { type: 'task_complete', turn_id: 'compaction', last_agent_message: null } };
}

/** @param {string} turnId @returns {Line} */
function taskStarted(turnId) {
  const window = { model_context_window: 272_000, collaboration_mode_kind: 'default' };
  return { type: 'event_msg', payload: { type: 'task_started', turn_id: turnId, ...window } };
}

/** @param {{ turn: number, cwd: string, size: TurnSize }} options @returns {Generator<Line>} */
function* rolloutTurn({ turn, cwd, size }) {
  const turnId = `turn-${turn}`;
  const text = { user: promptOf(turn), assistant: answerOf(turn) };
  const item = (/** @type {Record<string, unknown>} */ payload) => ({ type: 'response_item', payload });
  const event = (/** @type {Record<string, unknown>} */ payload) => ({ type: 'event_msg', payload });
  const message = (/** @type {'user' | 'assistant'} */ role) => ({
    type: 'message',
    role,
    content: [{ type: role === 'user' ? 'input_text' : 'output_text', text: text[role] }],
  });
  yield taskStarted(turnId);
  yield {
    type: 'turn_context',
    payload: {
      turn_id: turnId,
      cwd,
      approval_policy: 'never',
      sandbox_policy: { type: 'danger-full-access' },
      model: 'mock-model',
      summary: 'auto',
    },
  };
  yield item(message('user'));
  yield event({ type: 'user_message', message: text.user, images: [], local_images: [], text_elements: [] });
  for (let pair = 0; pair < pairsOf(size); pair += 1) {
    const callId = `call_${turn}_${pair}`;
    const args = JSON.stringify({ command: commandOf(pair) });
    yield item({ type: 'function_call', name: 'shell_command', arguments: args, call_id: callId });
    yield item({ type: 'function_call_output', call_id: callId, output: outputOf(turn, pair, size) });
  }
  yield event({ type: 'agent_message', message: text.assistant });
  yield item(message('assistant'));
  const counts = { input_tokens: 1000, cached_input_tokens: 0, output_tokens: 10, reasoning_output_tokens: 0 };
  const usage = { ...counts, total_tokens: 1010 };
  const info = { total_token_usage: usage, last_token_usage: usage, model_context_window: 272_000 };
  yield event({ type: 'token_count', info, rate_limits: null });
  yield event({ type: 'task_complete', turn_id: turnId, last_agent_message: text.assistant });
}

/**
 * A session of version 3. Source: docs/session-format.md in the package. Files in pi's own folder would be moved by it.
 * @param {HistoryPlace} place
 * @returns {HistoryFile}
 */
export function createPiSession({ id, cwd }) {
  return { path: 'bench-session.jsonl', lines: piLines({ id, cwd }) };
}

/** @param {HistoryPlace} place */
function* piLines({ id, cwd }) {
  yield JSON.stringify({ type: 'session', version: 3, id, timestamp: new Date(STARTED_AT_MS).toISOString(), cwd });
  let count = 0;
  const entry = (/** @type {Record<string, unknown>} */ message) => {
    const own = (count + 1).toString(16).padStart(8, '0');
    const parentId = count === 0 ? null : count.toString(16).padStart(8, '0');
    count += 1;
    const timeMs = STARTED_AT_MS + count;
    const timestamp = new Date(timeMs).toISOString();
    return JSON.stringify({
      type: 'message',
      id: own,
      parentId,
      timestamp,
      message: { ...message, timestamp: timeMs },
    });
  };
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 };
  const usage = { input: 1000, output: 10, cacheRead: 0, cacheWrite: 0, totalTokens: 1010, cost };
  const assistant = { role: 'assistant', api: 'openai-responses', provider: 'bench', model: 'mock-model', usage };
  for (let turn = 0; turn < LONG_HISTORY.turns; turn += 1) {
    yield entry({ role: 'user', content: [{ type: 'text', text: promptOf(turn) }] });
    for (let pair = 0; pair < pairsOf(LONG_HISTORY); pair += 1) {
      const callId = `call_${turn}_${pair}|fc_${turn}_${pair}`;
      const call = { type: 'toolCall', id: callId, name: 'bash', arguments: { command: commandOf(pair) } };
      yield entry({ ...assistant, content: [call], stopReason: 'toolUse' });
      const content = [{ type: 'text', text: outputOf(turn, pair, LONG_HISTORY) }];
      yield entry({ role: 'toolResult', toolCallId: callId, toolName: 'bash', content, isError: false });
    }
    yield entry({ ...assistant, content: [{ type: 'text', text: answerOf(turn) }], stopReason: 'stop' });
  }
}
