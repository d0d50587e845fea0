import { readFile } from 'node:fs/promises';
import { TurnFailedError } from '@quire/agent';
import type { JsonObject } from '@quire/protocol';
import {
  brokenCompactions,
  cutAfterEvents,
  rehearse,
  respond,
  Simulator,
  type Step,
  stall,
  status,
  text,
} from '@quire/simulator';
import { expect, test } from 'vitest';
import { rolloutItems } from '../support/workspace.ts';
import { createAgentWorkspace } from './support/agent-workspace.ts';

/** For all ways of compacting together, in seconds. */
const DEADLINE_SECONDS = 1;
/** Room for a slow machine. Milliseconds. */
const SLACK_MS = 4_000;
const LONG = 'and so on, '.repeat(300);

const LOCAL: Readonly<Record<string, Step>> = {
  empty: respond(),
  cut: cutAfterEvents(/* eventCount */ 2, respond(text('In short'))),
  hang: stall(),
  error: status(/* code */ 400, { body: { error: { message: 'no', code: 'invalid_prompt' } } }),
};

const CASES = [
  ...Object.keys(brokenCompactions).flatMap((name) => [['endpoint', name] as const, ['trigger', name] as const]),
  ...Object.keys(LOCAL).map((name) => ['local', name] as const),
];

test.each(CASES)(
  'a compaction by %s that is answered with %s leaves the thread whole and usable [SEQ-12, SEQ-13]',
  async (way, name) => {
    await using workspace = await createAgentWorkspace();
    const broken = brokenCompactions[name as keyof typeof brokenCompactions];
    await using simulator = await Simulator.start({
      rules: rehearse((request) => {
        const isSummary = !Array.isArray(request.body['tools']) || request.body['tools'].length === 0;
        return isSummary ? (LOCAL[name] ?? respond()) : respond(text(`Answer ${request.index}. ${LONG}`));
      }),
      ...(way === 'local' ? {} : { compaction: broken }),
      expectLocalCompactions: true,
    });
    const overrides = [`compaction.strategies=["${way}"]`, `compaction.deadline_seconds=${DEADLINE_SECONDS}`];
    const quire = workspace.quire(simulator, overrides);
    const options = { workingDirectory: workspace.project };
    const thread = await quire.startThread(options);
    const path = thread.facts.rolloutPath ?? '';
    await thread.run('One.');
    await thread.run('Two.');
    const before = await rolloutItems(path);
    const lastInput = simulator.requests[1]?.input ?? [];

    const startMs = performance.now();
    const failure = await thread.compact().catch((error: unknown) => error);
    expect(performance.now() - startMs).toBeLessThan(DEADLINE_SECONDS * 1_000 + SLACK_MS);

    // A summary without words is made up for; one that only its reader can read may be as long as it likes.
    const mayCompact = (way === 'local' && name === 'empty') || (way === 'trigger' && name === 'notShorter');
    const isCompacted = mayCompact && failure === undefined;
    if (!isCompacted) {
      expect(failure).toBeInstanceOf(TurnFailedError);
      expect((failure as TurnFailedError).failure.code).toBe('compaction');
      expect(await rolloutItems(path)).toEqual(before);
      expect(await readFile(path, 'utf8')).not.toContain('"type":"compacted"');
    }
    expect((await thread.run('Three.')).finalResponse).toContain('Answer');
    await thread.close();
    await using resumed = await quire.resumeThread({ kind: 'id', id: thread.facts.threadId }, options);
    expect((await resumed.run('Four.')).finalResponse).toContain('Answer');

    const turns = simulator.requests.filter(({ body }) => Array.isArray(body['tools']) && body['tools'].length > 0);
    const inputs = turns
      .filter(({ input }) => input.at(-1)?.['type'] !== 'compaction_trigger')
      .map(({ input }) => input);
    for (const input of inputs.slice(2)) {
      expect(said(input)).toEqual(['One.', 'Two.', 'Three.', 'Four.'].slice(0, said(input).length));
      if (!isCompacted) expect(input.slice(0, lastInput.length)).toEqual(lastInput);
    }
    expect(said(inputs.at(-1) ?? [])).toHaveLength(4);
  },
);

/** What a person said, as far as it is one of the words of this test. */
function said(input: readonly JsonObject[]): readonly string[] {
  return input
    .filter((item) => item['type'] === 'message' && item['role'] === 'user')
    .map((item) => JSON.stringify(item['content']))
    .flatMap((content) => /"text":"((?:One|Two|Three|Four)\.)"/.exec(content)?.[1] ?? []);
}
