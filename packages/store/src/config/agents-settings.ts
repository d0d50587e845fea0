import type { SettingReader } from './setting-reader.ts';

/** Limits of a tree of agents: the thread that a person talks to, and all that it starts. */
export interface AgentsConfig {
  /** 1: agents of the first thread may not start agents of their own. */
  readonly agentsMaxDepth: number;
  /** Sub-agents that may be open at the same time. */
  readonly agentsMaxThreads: number;
  /** Of all threads of the tree together. Absent: no limit. */
  readonly agentsMaxTokens: number | undefined;
  /** Requests to the model, of all threads together. Absent: no limit. */
  readonly agentsMaxRequests: number | undefined;
  /** From the first request on. Absent: no limit. */
  readonly agentsMaxSeconds: number | undefined;
}

const DEFAULT_MAX_DEPTH = 1;
const DEFAULT_MAX_THREADS = 6;

export function readAgentsSettings(reader: SettingReader): AgentsConfig {
  reader.requireTable('agents');
  return {
    agentsMaxDepth: reader.integer({ key: 'agents.max_depth' }, { minimum: 1 }) ?? DEFAULT_MAX_DEPTH,
    agentsMaxThreads: reader.integer({ key: 'agents.max_threads' }, { minimum: 1 }) ?? DEFAULT_MAX_THREADS,
    agentsMaxTokens: reader.integer({ key: 'agents.max_tokens' }, { minimum: 1 }),
    agentsMaxRequests: reader.integer({ key: 'agents.max_requests' }, { minimum: 1 }),
    agentsMaxSeconds: reader.integer({ key: 'agents.max_seconds' }, { minimum: 1 }),
  };
}
