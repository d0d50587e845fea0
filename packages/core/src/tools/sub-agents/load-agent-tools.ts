import type { SubAgents } from '../../ports/sub-agents.ts';
import type { Tool } from '../tool.ts';

/** Fetches what makes the tools of a thread with agents of its own; nobody else needs to have it in memory. */
export async function loadSubAgentTools(): Promise<(agents: SubAgents) => readonly Tool[]> {
  return (await import('./agent-tools.ts')).createSubAgentTools;
}
