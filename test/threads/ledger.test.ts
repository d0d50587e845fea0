import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TurnOutcome } from '@quire/protocol';
import { Simulator } from '@quire/simulator';
import { expect, test } from 'vitest';
import { createAgentWorkspace } from './support/agent-workspace.ts';
import { forgetfulModel, type JobCounts } from './support/forgetful-model.ts';

const FILES = Array.from({ length: 40 }, (_, index) => `src/part-${String(index).padStart(2, '0')}.txt`);
const resultOf = (file: string) => file.replace('src/', 'results/');

interface JobReport extends JobCounts {
  readonly outcome: TurnOutcome | undefined;
  readonly compactions: number;
  readonly results: number;
  /** Reads of files that had been read before. */
  readonly rereads: number;
}

async function runJob(options: { readonly ledger: boolean; readonly windowTokens: number }): Promise<JobReport> {
  await using workspace = await createAgentWorkspace();
  const { project } = workspace;
  await mkdir(join(project, 'src'));
  await mkdir(join(project, 'results'));
  for (const [index, file] of FILES.entries()) {
    await writeFile(join(project, file), `title ${index}\n${`line of part ${index}\n`.repeat(110)}`);
  }
  const { rules, counts } = forgetfulModel({ files: FILES, resultOf });
  await using simulator = await Simulator.start({ rules, expectLocalCompactions: true });
  const quire = workspace.quire(simulator, [
    `model_context_window=${options.windowTokens}`,
    'compaction.strategies=["local","trim"]',
    `compaction.ledger=${options.ledger}`,
  ]);
  await using thread = await quire.startThread({ workingDirectory: project, sandboxMode: 'danger-full-access' });
  let outcome: TurnOutcome | undefined;
  let compactions = 0;
  await thread.runPushed('Write the first line of each file in src into a file of the same name in results.', {
    onEvent: (event) => {
      if (event.kind === 'turn-end') outcome = event.outcome;
      if (event.kind === 'item-end' && event.item.kind === 'context-compaction') compactions += 1;
    },
  });
  const results = await readdir(join(project, 'results'));
  for (const [index, file] of FILES.entries()) {
    if (!results.includes(file.slice('src/'.length))) continue;
    expect(await readFile(join(project, resultOf(file)), 'utf8')).toBe(`title ${index}\n`);
  }
  const rereads = [...counts.reads.values()].reduce((sum, reads) => sum + reads - 1, 0);
  return { ...counts, outcome, compactions, results: results.length, rereads };
}

function print(label: string, report: JobReport): void {
  const { outcome, requests, compactions, results, rereads } = report;
  const end = outcome?.kind === 'failed' ? outcome.failure.code : outcome?.kind;
  const work = `${results} of ${FILES.length} files done, ${rereads} reads again`;
  process.stdout.write(`${label}: ${end}, ${work}, ${requests} requests, ${compactions} compactions\n`);
}

test.each([
  [20_000, 1],
  [12_000, 2],
] as const)(
  'a long job on a window of %i tokens ends with the ledger, and hardly a file is read twice [SEQ-10, SEQ-11]',
  { timeout: 120_000 },
  async (windowTokens, leastCompactions) => {
    const withLedger = await runJob({ ledger: true, windowTokens });
    const without = await runJob({ ledger: false, windowTokens });
    print(`window of ${windowTokens}, with the ledger`, withLedger);
    print(`window of ${windowTokens}, without it`, without);

    expect(withLedger.outcome?.kind).toBe('completed');
    expect(withLedger.results).toBe(FILES.length);
    expect(withLedger.compactions).toBeGreaterThanOrEqual(leastCompactions);
    expect(withLedger.rereads).toBeLessThan(FILES.length / 10);
    expect(without.rereads).toBeGreaterThan(withLedger.rereads);
    const isStopped = without.outcome?.kind === 'failed' && without.outcome.failure.code === 'compaction-loop';
    expect(isStopped || without.requests > 2 * withLedger.requests).toBe(true);
  },
);
