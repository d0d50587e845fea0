import type { JsonObject } from '@quire/protocol';

/** One entry of `GET …/models` with every field that a client may require. Source: facts, model entry fields. */
export function catalogEntry(slug: string, fields: JsonObject = {}): JsonObject {
  return {
    slug,
    display_name: slug,
    description: null,
    default_reasoning_level: 'medium',
    supported_reasoning_levels: [
      { effort: 'low', description: 'quick' },
      { effort: 'medium', description: 'usual' },
    ],
    shell_type: 'shell_command',
    visibility: 'list',
    supported_in_api: true,
    priority: 1,
    availability_nux: null,
    upgrade: null,
    base_instructions: `Instructions of ${slug}.`,
    model_messages: null,
    supports_reasoning_summaries: true,
    default_reasoning_summary: 'auto',
    support_verbosity: false,
    default_verbosity: null,
    apply_patch_tool_type: 'freeform',
    web_search_tool_type: 'text',
    truncation_policy: { mode: 'tokens', limit: 10_000 },
    supports_parallel_tool_calls: true,
    supports_image_detail_original: false,
    context_window: 272_000,
    auto_compact_token_limit: null,
    effective_context_window_percent: 95,
    experimental_supported_tools: [],
    input_modalities: ['text', 'image'],
    prefer_websockets: false,
    ...fields,
  };
}
