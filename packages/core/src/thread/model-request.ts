import type { JsonObject, ToolSpec } from '@quire/protocol';
import type { History } from '../history/history.ts';
import { acceptsImages } from '../model/turn/images.ts';
import type { ModelRequest } from '../ports/model-port.ts';
import type { ThreadSettings } from './settings.ts';

/** The next request of a thread, from its settings and its history. */
export function buildModelRequest(
  settings: ThreadSettings,
  history: History,
  turn: { readonly tools: readonly ToolSpec[]; readonly outputSchema: JsonObject | undefined },
): ModelRequest {
  const { model } = settings;
  return {
    model: model.slug,
    instructions: settings.baseInstructions,
    input: history.forPrompt({
      acceptsImages: acceptsImages(model),
      jsonOutputsAsText: turn.tools.some((tool) => tool.type === 'custom' && tool.name === 'apply_patch'),
    }),
    tools: turn.tools,
    parallelToolCalls: model.supportsParallelToolCalls,
    reasoning: settings.reasoning,
    verbosity: settings.verbosity,
    outputSchema: turn.outputSchema,
    serviceTier: settings.serviceTier,
  };
}
