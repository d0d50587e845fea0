import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { systemEntropy } from '@quire/host';
import { isJsonObject, type JsonObject, type RolloutLine, type ThreadId } from '@quire/protocol';
import { rehearse, respond, Simulator, text } from '@quire/simulator';
import { createRollout } from '@quire/store';
import { expect, test } from 'vitest';
import { type AgentWorkspace, createAgentWorkspace } from './support/agent-workspace.ts';
import { callId, type Mark, marksOf, markText, Truth } from './support/truth.ts';

/** `QUIRE_SWEEP=full` damages every byte, in minutes. */
const STEP = process.env['QUIRE_SWEEP'] === 'full' ? 1 : 61;
const FLIPS = [0x01, 0x20, 0x80] as const;

function said(role: 'user' | 'assistant', id: number): RolloutLine {
  const type = role === 'user' ? 'input_text' : 'output_text';
  const content = [{ type, text: `${markText(role, id)} words` }] as const;
  return { type: 'response_item', payload: { type: 'message', role, content: [...content] } } as RolloutLine;
}

function turn(id: string, lines: readonly RolloutLine[]): readonly RolloutLine[] {
  return [
    { type: 'event_msg', payload: { type: 'task_started', turn_id: id } },
    {
      type: 'turn_context',
      payload: {
        turn_id: id,
        cwd: '/repo',
        approval_policy: 'never',
        sandbox_policy: { type: 'danger-full-access' },
        model: 'gpt-5.2-codex',
        summary: 'auto',
        truncation_policy: { mode: 'tokens', limit: 10_000 },
      },
    },
    ...lines,
    { type: 'event_msg', payload: { type: 'task_complete', turn_id: id } },
  ];
}

/** Lines of every kind; a compaction in the middle, and a turn that was taken back. */
const LINES: readonly RolloutLine[] = [
  ...turn('t1', [said('user', /* id */ 1), said('assistant', /* id */ 2)]),
  {
    type: 'compacted',
    payload: {
      message: 'In short.',
      replacement_history: [
        {
          type: 'message',
          role: 'user',
          content: [{ type: 'input_text', text: `${markText('user', /* id */ 1)} words` }],
        },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'In short.' }] },
      ],
    },
  },
  ...turn('t2', [
    said('user', /* id */ 3),
    { type: 'response_item', payload: { type: 'reasoning', summary: [], encrypted_content: 'sealed' } } as RolloutLine,
    {
      type: 'response_item',
      payload: {
        type: 'function_call',
        call_id: callId(/* id */ 4),
        name: 'shell_command',
        arguments: '{"command":"ls"}',
      },
    },
    {
      type: 'response_item',
      payload: {
        type: 'function_call_output',
        call_id: callId(/* id */ 4),
        output: `${markText('output', /* id */ 4)} a file`,
      },
    },
    {
      type: 'event_msg',
      payload: { type: 'token_count', info: null },
    },
    said('assistant', /* id */ 5),
  ]),
  ...turn('t3', [said('user', /* id */ 6), said('assistant', /* id */ 7)]),
  { type: 'event_msg', payload: { type: 'thread_rolled_back', num_turns: 1 } },
  ...turn('t4', [said('user', /* id */ 8), said('assistant', /* id */ 9)]),
];

interface Sample {
  readonly path: string;
  readonly id: string;
  readonly bytes: Buffer;
  /** Where each line begins; the last entry is the end of the file. */
  readonly starts: readonly number[];
}

async function writeSample(workspace: AgentWorkspace): Promise<Sample> {
  const threadId = systemEntropy.uuid() as ThreadId;
  const rollout = await createRollout({
    home: workspace.home,
    threadId,
    meta: { cwd: workspace.project, originator: 'test', cli_version: '0', source: 'exec', model_provider: 'test' },
    now: () => 0,
  });
  rollout.append(LINES);
  rollout.close();
  const bytes = readFileSync(rollout.path);
  const starts = [0];
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, end + 1)) starts.push(end + 1);
  return { path: rollout.path, id: threadId, bytes, starts };
}

/** What a thread of these lines shows. */
function marksOfLines(lines: readonly RolloutLine[]): readonly Mark[] {
  const truth = new Truth();
  for (const line of lines) {
    const { payload } = line;
    if (line.type === 'event_msg' && line.payload.type === 'task_started') truth.beginTask();
    if (line.type === 'event_msg' && line.payload.type === 'thread_rolled_back') truth.rollBack(/* turns */ 1);
    if (line.type === 'compacted') truth.note({ kind: 'compact', keepsAnswers: false });
    if (line.type !== 'response_item' || !isJsonObject(payload as unknown)) continue;
    for (const mark of marksOf([payload as unknown as JsonObject])) truth.note({ kind: 'add', mark });
  }
  return truth.marks;
}

const messages = (marks: readonly Mark[]): readonly string[] =>
  marks.filter(({ kind }) => kind === 'user' || kind === 'assistant').map(({ kind, id }) => `${kind} ${id}`);

/** Lists, forks and resumes a damaged thread and gives back what its next request showed. */
async function goOn(workspace: AgentWorkspace, simulator: Simulator, sample: Sample): Promise<readonly string[]> {
  const quire = workspace.quire(simulator);
  const options = { workingDirectory: workspace.project };
  const damaged = readFileSync(sample.path);
  const listed = await quire.listThreads({ limit: 1000 });
  expect(listed.map(({ threadId }) => threadId)).toContain(sample.id);
  const fork = await quire.forkThread({ kind: 'id', id: sample.path }, options);
  await fork.close();
  rmSync(fork.facts.rolloutPath ?? '');
  expect(readFileSync(sample.path).equals(damaged)).toBe(true);
  const thread = await quire.resumeThread({ kind: 'id', id: sample.path }, options);
  await thread.run('Go on.');
  await thread.close();
  return messages(marksOf(simulator.requests.at(-1)?.input ?? []));
}

/** Gives back what was illegal in the requests. */
async function withSample(
  work: (sample: Sample, show: () => Promise<readonly string[]>) => Promise<void>,
): Promise<readonly string[]> {
  await using workspace = await createAgentWorkspace();
  const simulator = await Simulator.start({
    rules: rehearse(() => respond(text('Well.'))),
    allowRewrite: () => true,
    lenient: true,
  });
  try {
    const sample = await writeSample(workspace);
    await work(sample, () => goOn(workspace, simulator, sample));
    return simulator.violations;
  } finally {
    await simulator.stop();
  }
}

test('a thread that is cut at any byte is listed, forked and resumed with every whole line before the cut [SEQ-15, SEQ-17]', {
  timeout: 600_000,
}, async () => {
  const violations = await withSample(async ({ path, bytes, starts }, show) => {
    for (let length = bytes.length; length > (starts[1] ?? 0); length -= STEP) {
      writeFileSync(path, bytes.subarray(0, length));
      // A line that lacks only its line feed is whole.
      const whole = starts.slice(2).filter((end) => end <= length + 1).length;
      expect([length, await show()]).toEqual([length, messages(marksOfLines(LINES.slice(0, whole)))]);
    }
  });
  expect(violations).toEqual([]);
});

/** What a flipped bit made of the words inside a line is for the service to judge. */
test('a thread with any bit flipped is listed, forked and resumed with every other line [SEQ-16, SEQ-17]', {
  timeout: 600_000,
}, async () => {
  await withSample(async ({ path, bytes, starts }, show) => {
    for (let offset = 0; offset < bytes.length; offset += STEP) {
      const damaged = Buffer.from(bytes);
      damaged[offset] = (bytes[offset] ?? 0) ^ (FLIPS[offset % FLIPS.length] ?? 1);
      writeFileSync(path, damaged);
      // The header is the first line; a line feed that is lost joins two.
      const first = starts.findLastIndex((start) => start <= offset) - 1;
      const last = bytes[offset] === 10 ? first + 1 : first;
      const others = LINES.filter((_, index) => index < first || index > last);
      const seen = new Set(await show());
      // What a compaction says can be damaged without a sign of it.
      const later = LINES[first]?.type === 'compacted' ? LINES.slice(last + 1) : others;
      const missing = [others, LINES, later].map((lines) =>
        messages(marksOfLines(lines)).filter((mark) => !seen.has(mark)),
      );
      expect([offset, missing.some((marks) => marks.length === 0) ? [] : missing]).toEqual([offset, []]);
    }
  });
});
