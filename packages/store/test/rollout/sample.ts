import { parseThreadId, type RolloutLine, type SessionMeta, type ThreadId } from '@quire/protocol';
import { type BackwardReading, readRolloutBackwards } from '../../src/index.ts';

export const SAMPLE_META: Omit<SessionMeta, 'id' | 'timestamp'> = {
  cwd: '/repo',
  originator: 'quire_exec',
  cli_version: '0.1.0',
  source: 'exec',
  model_provider: 'openai',
  base_instructions: { text: 'Do good work.\n“Always.”' },
};

export const userMessage: RolloutLine = {
  type: 'response_item',
  payload: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Grüße ✓' }] },
};

export const SAMPLE_LINES: readonly RolloutLine[] = [
  { type: 'event_msg', payload: { type: 'task_started', turn_id: 't1' } },
  {
    type: 'turn_context',
    payload: {
      turn_id: 't1',
      cwd: '/repo',
      approval_policy: 'never',
      sandbox_policy: { type: 'danger-full-access' },
      model: 'm',
      summary: 'auto',
      truncation_policy: { mode: 'tokens', limit: 10 },
      final_output_json_schema: { type: 'object' },
    },
  },
  userMessage,
  {
    type: 'response_item',
    payload: { type: 'function_call', call_id: 'c1', name: 'shell_command', arguments: '{"command":"ls"}' },
  },
  { type: 'response_item', payload: { type: 'unknown', raw: { type: 'novelty', nested: { keep: [1, null] } } } },
  {
    type: 'response_item',
    payload: {
      type: 'function_call_output',
      call_id: 'c1',
      output: [{ type: 'unknown', raw: { type: 'input_audio', data: 'x' } }],
    },
  },
  {
    type: 'compacted',
    payload: { message: 'summary', replacement_history: [{ type: 'unknown', raw: { type: 'n' } }] },
  },
  { type: 'event_msg', payload: { type: 'task_complete', turn_id: 't1' } },
];

export function threadId(text: string): ThreadId {
  const id = parseThreadId(text);
  if (id === undefined) throw new Error(`not a thread id: ${text}`);
  return id;
}

/** Everything that reading tells of a file, the lines from the oldest to the newest. */
export async function readAll(
  file: string,
): Promise<BackwardReading & { readonly lines: number; readonly all: readonly RolloutLine[] }> {
  const all: RolloutLine[] = [];
  const reading = await readRolloutBackwards(file, {
    home: '/nonexistent',
    onLine: (line) => {
      all.push(line);
      return 'continue';
    },
    signal: new AbortController().signal,
  });
  return { ...reading, lines: all.length, all: all.reverse() };
}
