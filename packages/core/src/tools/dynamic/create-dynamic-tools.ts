import type { Clock } from '../../ports/clock.ts';
import type { ToolSource } from '../tool-source.ts';
import { DynamicTool } from './dynamic-tool.ts';
import { checkDefinitions, type DynamicToolDefinition } from './dynamic-tool-definition.ts';

/**
 * Functions of the embedding program as tools, in the order given.
 *
 * Error: `Error` that names the tool and says what is wrong with its definition.
 */
export function createDynamicTools(definitions: readonly DynamicToolDefinition[], clock: Clock): ToolSource {
  return { tools: checkDefinitions(definitions).map((definition) => new DynamicTool(definition, clock)) };
}
