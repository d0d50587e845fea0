import type { Clock } from '../../ports/clock.ts';
import type { ToolSource } from '../tool-source.ts';
import type { DynamicToolDefinition } from './dynamic-tool-definition.ts';

/** Fetches what makes the tools of an embedding program; a thread without them need not have it in memory. */
export async function loadDynamicTools(): Promise<
  (definitions: readonly DynamicToolDefinition[], clock: Clock) => ToolSource
> {
  return (await import('./create-dynamic-tools.ts')).createDynamicTools;
}
