import type { Approvals } from '../ports/approvals.ts';
import type { Clock, Entropy } from '../ports/clock.ts';
import type { CommandRules } from '../ports/command-rules.ts';
import type { CommandRunner } from '../ports/command-runner.ts';
import type { FileDigests } from '../ports/file-digests.ts';
import type { ImageReader } from '../ports/image-reader.ts';
import type { ModelKnowledge } from '../ports/model-knowledge.ts';
import type { ModelPort } from '../ports/model-port.ts';
import type { PatchFiles } from '../ports/patch-files.ts';
import type { RequestBudget } from '../ports/request-budget.ts';
import type { RolloutWriter } from '../ports/rollout-writer.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { ToolHooks } from '../ports/tool-hooks.ts';
import type { WorkTreeSnapshots } from '../ports/work-tree-snapshots.ts';
import type { WorkspaceFiles } from '../ports/workspace-files.ts';
import type { Tool } from '../tools/tool.ts';
import type { ToolSource } from '../tools/tool-source.ts';

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
  /** Who is asked when something needs a person. Absent: nobody, so it is refused. */
  readonly approvals?: Approvals;
  /** Rules for commands. Absent: none. */
  readonly rules?: CommandRules;
  /** Programs of the user around every tool call. Absent: none. */
  readonly hooks?: ToolHooks;
  /** Tools beside the built-in ones, in the order of offering. */
  readonly toolSources?: readonly ToolSource[];
  /** For the file tools and pictures. Absent: they are not offered. */
  readonly workspaceFiles?: WorkspaceFiles;
  readonly images?: ImageReader;
  /** Over a kernel, made by `loadJavaScriptTools`. Absent: the model has none. */
  readonly javaScriptTools?: readonly Tool[];
  /** Over the resources of MCP servers, made by `loadMcpTools`. Absent: there are no servers. */
  readonly mcpResourceTools?: readonly Tool[];
  /** Made by `loadSubAgentTools` over the port `SubAgents`. Absent: the thread starts no agents of its own. */
  readonly agentTools?: readonly Tool[];
  /** Absent: nothing is recorded. */
  readonly telemetry?: Telemetry;
  /** Notes on settings that people have read; shared by a tree of agents. Absent: each turn tells them. */
  readonly toldNotes?: Set<string>;
  /** Absent: the bundled list. */
  readonly models?: ModelKnowledge;
}
