import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Quire } from '@quire/agent';
import type { ThreadEvent, TurnItem } from '@quire/protocol';
import type { Cut, CutProvider } from './cut-provider.ts';
import { historyDigest } from './history-digest.ts';
import { FINAL, RAN_FILE, WHOLE_TURN } from './recorded-answer.ts';
import { rolloutItems, type Workspace } from './workspace.ts';

/** What one cut run came to, in a form in which every right run is equal. */
export interface CutOutcome {
  readonly events: readonly string[];
  readonly outcome: unknown;
  readonly ran: string;
  readonly record: readonly string[];
  readonly lastInput: readonly string[];
  readonly violations: readonly string[];
}

/** Every item once, wherever one looks. */
export const RIGHT_OUTCOME: CutOutcome = {
  events: WHOLE_TURN.filter((entry) => !entry.startsWith('call ')),
  outcome: { kind: 'completed', lastAgentMessage: FINAL },
  ran: 'ran\n',
  record: WHOLE_TURN,
  lastInput: WHOLE_TURN.slice(0, -1),
  violations: [],
};

/** One thread with one turn against a provider that cuts its first answer. */
export async function runCut(cut: Cut, provider: CutProvider, workspace: Workspace): Promise<CutOutcome> {
  const project = join(workspace.project, `${cut.tool}-${cut.afterCut}-${cut.manner}-${cut.offset}`);
  await mkdir(project);
  await writeFile(join(project, RAN_FILE), '');
  const quire = new Quire({
    home: workspace.home,
    apiKey: 'test-key',
    baseUrl: provider.url,
    environment: { PATH: process.env['PATH'], SHELL: '/bin/sh' },
  });
  await using thread = await quire.startThread({
    workingDirectory: project,
    sandboxMode: 'danger-full-access',
    skipGitRepoCheck: true,
  });
  const { threadId, rolloutPath = '' } = thread.facts;
  provider.expect(threadId, cut);
  const events: ThreadEvent[] = [];
  await thread.runPushed('Add a line.', { onEvent: (event) => events.push(event) });
  const last = events.at(-1);
  return {
    events: events.flatMap((event) => (event.kind === 'item-end' ? itemDigest(event.item) : [])),
    outcome: last?.kind === 'turn-end' ? last.outcome : last?.kind,
    ran: await readFile(join(project, RAN_FILE), 'utf8').catch(() => ''),
    record: historyDigest(await rolloutItems(rolloutPath)),
    lastInput: historyDigest(provider.requestsOf(threadId).at(-1)?.input ?? []),
    violations: provider.simulator.violations,
  };
}

function itemDigest(item: TurnItem): readonly string[] {
  switch (item.kind) {
    case 'user-message':
      return [];
    case 'agent-message':
      return [`message ${item.text}`];
    case 'reasoning':
      return [`reasoning ${item.summary.join('|')}`];
    case 'command-execution':
    case 'file-change':
      return [`output ${item.id}`];
    default:
      return [item.kind];
  }
}
