import type { ModelInfo } from '@quire/protocol';
import type { Clock, Entropy } from '../ports/clock.ts';
import type { CommandRunner } from '../ports/command-runner.ts';
import type { FileDigests } from '../ports/file-digests.ts';
import type { ModelPort } from '../ports/model-port.ts';
import type { PatchFiles } from '../ports/patch-files.ts';
import type { RequestBudget } from '../ports/request-budget.ts';
import type { RolloutWriter } from '../ports/rollout-writer.ts';
import type { WorkTreeSnapshots } from '../ports/work-tree-snapshots.ts';
import type { Tool } from '../tools/tool.ts';

export interface ThreadPorts {
  readonly model: ModelPort;
  readonly runner: CommandRunner;
  readonly files: PatchFiles;
  readonly rollout: RolloutWriter;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Absent: the ledger knows no hashes. */
  readonly digests?: FileDigests;
  /** Absent: turns leave no snapshot, so nothing can be undone. */
  readonly snapshots?: WorkTreeSnapshots;
  /** Shared by a tree of agents. Absent: no limit. */
  readonly budget?: RequestBudget;
  /** Made by `loadSubAgentTools` over the port `SubAgents`. Absent: the thread starts no agents of its own. */
  readonly agentTools?: readonly Tool[];
  /** What is known of a model by its name. Absent: the bundled catalog. */
  readonly describeModel?: (slug: string) => ModelInfo;
}
