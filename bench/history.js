/** A long thread that never happened, in the file format of each client. */

/**
 * @typedef {{ id: string, cwd: string, folder: string }} HistoryPlace
 *   `id` is the thread's, `folder` the client's home
 * @typedef {{ path: string, content: string }} HistoryFile `path` is relative to the client's home
 */

/** One item opens a turn, one ends it, the others are pairs of a call and its output. */
export const HISTORY = { turns: 500, itemsPerTurn: 100 };

const STARTED_AT_MS = Date.UTC(2026, 0, 15, 10);
const PAIRS = (HISTORY.itemsPerTurn - 2) / 2;

const promptOf = (/** @type {number} */ turn) => `Prompt number ${turn}: look into the next part of the program.`;
const answerOf = (/** @type {number} */ turn) =>
  `Answer number ${turn}: this part is fine, and here is why in one sentence.`;
const commandOf = (/** @type {number} */ pair) => `sed -n '${pair},${pair + 40}p' src/part-${pair}.ts`;
const outputOf = (/** @type {number} */ turn, /** @type {number} */ pair) =>
  `export const part${pair} = ${turn};\nexport function use${pair}(value: number): number {\n  return value + part${pair};\n}\n`;

/** Whether a request carries the whole thread. @param {readonly unknown[]} input */
export function isHistoryPresent(input) {
  if (input.length < HISTORY.turns * HISTORY.itemsPerTurn) return false;
  const text = JSON.stringify([input.slice(0, 100), input.slice(-100)]);
  return text.includes(promptOf(/* turn */ 0)) && text.includes(answerOf(HISTORY.turns - 1));
}

/**
 * A rollout of version 0.104: its items, and the events that a terminal would show again.
 * Source: fact sheet of the rollout format; both `quire` and the peer read this file.
 * @param {HistoryPlace} place
 * @returns {HistoryFile}
 */
export function createRollout({ id, cwd }) {
  const started = new Date(STARTED_AT_MS).toISOString();
  const name = `rollout-${started.slice(0, 19).replaceAll(':', '-')}-${id}.jsonl`;
  /** @type {string[]} */
  const lines = [];
  let timeMs = STARTED_AT_MS;
  const write = (/** @type {string} */ type, /** @type {Record<string, unknown>} */ payload) => {
    timeMs += 10;
    lines.push(JSON.stringify({ timestamp: new Date(timeMs).toISOString(), type, payload }));
  };
  write('session_meta', {
    id,
    timestamp: started,
    cwd,
    originator: 'codex_exec',
    cli_version: '0.104.0',
    source: 'exec',
    model_provider: 'bench',
  });
  for (let turn = 0; turn < HISTORY.turns; turn += 1) writeRolloutTurn(write, { turn, cwd });
  return { path: `sessions/2026/01/15/${name}`, content: `${lines.join('\n')}\n` };
}

/**
 * @param {(type: string, payload: Record<string, unknown>) => void} write
 * @param {{ turn: number, cwd: string }} position
 */
function writeRolloutTurn(write, { turn, cwd }) {
  const turnId = `turn-${turn}`;
  const text = { user: promptOf(turn), assistant: answerOf(turn) };
  const message = (/** @type {'user' | 'assistant'} */ role) => ({
    type: 'message',
    role,
    content: [{ type: role === 'user' ? 'input_text' : 'output_text', text: text[role] }],
  });
  write('event_msg', {
    type: 'task_started',
    turn_id: turnId,
    model_context_window: 272_000,
    collaboration_mode_kind: 'default',
  });
  write('turn_context', {
    turn_id: turnId,
    cwd,
    approval_policy: 'never',
    sandbox_policy: { type: 'danger-full-access' },
    model: 'mock-model',
    summary: 'auto',
  });
  write('response_item', message('user'));
  write('event_msg', { type: 'user_message', message: text.user, images: [], local_images: [], text_elements: [] });
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const callId = `call_${turn}_${pair}`;
    const args = JSON.stringify({ command: commandOf(pair) });
    write('response_item', { type: 'function_call', name: 'shell_command', arguments: args, call_id: callId });
    write('response_item', { type: 'function_call_output', call_id: callId, output: outputOf(turn, pair) });
  }
  write('event_msg', { type: 'agent_message', message: text.assistant });
  write('response_item', message('assistant'));
  const usage = {
    input_tokens: 1000,
    cached_input_tokens: 0,
    output_tokens: 10,
    reasoning_output_tokens: 0,
    total_tokens: 1010,
  };
  write('event_msg', {
    type: 'token_count',
    info: { total_token_usage: usage, last_token_usage: usage, model_context_window: 272_000 },
    rate_limits: null,
  });
  write('event_msg', { type: 'task_complete', turn_id: turnId, last_agent_message: text.assistant });
}

/**
 * A session of version 3. Source: docs/session-format.md in the package. Files in pi's own folder would be moved by it.
 * @param {HistoryPlace} place
 * @returns {HistoryFile}
 */
export function createPiSession({ id, cwd }) {
  const started = new Date(STARTED_AT_MS).toISOString();
  const lines = [JSON.stringify({ type: 'session', version: 3, id, timestamp: started, cwd })];
  let count = 0;
  const write = (/** @type {Record<string, unknown>} */ message) => {
    const own = (count + 1).toString(16).padStart(8, '0');
    const parentId = count === 0 ? null : count.toString(16).padStart(8, '0');
    count += 1;
    const timestamp = STARTED_AT_MS + count;
    const entry = { type: 'message', id: own, parentId, timestamp: new Date(timestamp).toISOString() };
    lines.push(JSON.stringify({ ...entry, message: { ...message, timestamp } }));
  };
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 };
  const usage = { input: 1000, output: 10, cacheRead: 0, cacheWrite: 0, totalTokens: 1010, cost };
  const assistant = { role: 'assistant', api: 'openai-responses', provider: 'bench', model: 'mock-model', usage };
  for (let turn = 0; turn < HISTORY.turns; turn += 1) {
    write({ role: 'user', content: [{ type: 'text', text: promptOf(turn) }] });
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const callId = `call_${turn}_${pair}|fc_${turn}_${pair}`;
      const call = { type: 'toolCall', id: callId, name: 'bash', arguments: { command: commandOf(pair) } };
      write({ ...assistant, content: [call], stopReason: 'toolUse' });
      const content = [{ type: 'text', text: outputOf(turn, pair) }];
      write({ role: 'toolResult', toolCallId: callId, toolName: 'bash', content, isError: false });
    }
    write({ ...assistant, content: [{ type: 'text', text: answerOf(turn) }], stopReason: 'stop' });
  }
  return { path: 'bench-session.jsonl', content: `${lines.join('\n')}\n` };
}
