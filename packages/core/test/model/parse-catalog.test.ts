import type { JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { parseCatalog } from '../../src/model/parse-catalog.ts';
import { wireEntry } from './catalog-entries.ts';

const MINIMAL = {
  slug: 'm',
  displayName: 'm',
  description: undefined,
  visibility: 'list',
  supportedInApi: true,
  priority: 1,
  availabilityNotice: undefined,
  upgrade: undefined,
  isFallback: false,
  reasoningLevels: [],
  supportedReasoningEfforts: [],
  defaultReasoningEffort: undefined,
  supportsReasoningSummaries: true,
  defaultReasoningSummary: 'auto',
  supportsVerbosity: false,
  defaultVerbosity: undefined,
  applyPatchTool: undefined,
  supportsParallelToolCalls: true,
  inputModalities: ['text', 'image'],
  shellType: 'shell_command',
  experimentalTools: [],
  webSearchTool: 'text',
  supportsOriginalImages: false,
  prefersWebsockets: false,
  truncation: { mode: 'tokens', limit: 10_000 },
  contextWindow: undefined,
  effectiveContextWindowPercent: 95,
};

const reasonOf = (models: unknown): string => {
  const reading = parseCatalog({ models });
  return reading.kind === 'unusable' ? reading.reason : 'usable';
};

describe('a list of models', () => {
  test('is read with all fields of its entries [MODEL-02]', () => {
    const entry = wireEntry('m', {
      description: 'words',
      default_reasoning_level: 'low',
      supported_reasoning_levels: [{ effort: 'low', description: 'quick' }, { effort: 'heroic' }],
      availability_nux: { message: 'new' },
      upgrade: { model: 'n', migration_markdown: 'why' },
      base_instructions: 'Be brief.',
      model_messages: {
        instructions_template: 'a {{ personality }}',
        instructions_variables: { personality_default: '', personality_friendly: 'f', personality_pragmatic: null },
      },
      supports_reasoning_summaries: false,
      default_reasoning_summary: 'detailed',
      support_verbosity: true,
      default_verbosity: 'high',
      apply_patch_tool_type: 'function',
      web_search_tool_type: 'text_and_image',
      truncation_policy: { mode: 'bytes', limit: 5 },
      supports_parallel_tool_calls: false,
      supports_image_detail_original: true,
      context_window: 100,
      max_context_window: 200,
      auto_compact_token_limit: 80,
      effective_context_window_percent: 50,
      experimental_supported_tools: ['grep_files'],
      input_modalities: ['text'],
      prefer_websockets: true,
      service_tiers: [{ id: 'priority', name: 'Fast' }],
      additional_speed_tiers: ['fast'],
    });

    expect(parseCatalog({ models: [entry] })).toEqual({
      kind: 'models',
      models: [
        {
          ...MINIMAL,
          description: 'words',
          defaultReasoningEffort: 'low',
          reasoningLevels: [
            { effort: 'low', description: 'quick' },
            { effort: 'heroic', description: '' },
          ],
          supportedReasoningEfforts: ['low', 'heroic'],
          availabilityNotice: 'new',
          upgrade: { model: 'n', migrationMarkdown: 'why' },
          baseInstructions: 'Be brief.',
          modelMessages: {
            instructionsTemplate: 'a {{ personality }}',
            personalityDefault: '',
            personalityFriendly: 'f',
          },
          supportsReasoningSummaries: false,
          defaultReasoningSummary: 'detailed',
          supportsVerbosity: true,
          defaultVerbosity: 'high',
          applyPatchTool: 'function',
          webSearchTool: 'text_and_image',
          truncation: { mode: 'bytes', limit: 5 },
          supportsParallelToolCalls: false,
          supportsOriginalImages: true,
          contextWindow: 100,
          maxContextWindow: 200,
          autoCompactTokenLimit: 80,
          effectiveContextWindowPercent: 50,
          experimentalTools: ['grep_files'],
          inputModalities: ['text'],
          prefersWebsockets: true,
          serviceTiers: ['priority'],
        },
      ],
    });
  });

  test('may leave out what has a default, hold null for it, and have fields of later versions [MODEL-03]', () => {
    const optional = ['description', 'upgrade', 'context_window', 'default_verbosity', 'input_modalities'];
    const nulls: JsonObject = Object.fromEntries(optional.map((field) => [field, null]));

    expect(parseCatalog({ models: [wireEntry('m'), wireEntry('m', { ...nulls, comp_hash: '1' })] })).toEqual({
      kind: 'models',
      models: [MINIMAL, MINIMAL],
    });
  });

  test('says nothing of a window by numbers that can not be one [MODEL-03]', () => {
    const entry = wireEntry('m', { context_window: 0, effective_context_window_percent: 700 });

    expect(parseCatalog({ models: [entry] })).toEqual({
      kind: 'models',
      models: [{ ...MINIMAL, effectiveContextWindowPercent: 100 }],
    });
  });

  test.each([
    ['slug', 'entry 2 has no slug (expected a text)'],
    ['display_name', 'model b has no display_name (expected a text)'],
    ['supported_reasoning_levels', 'model b has no supported_reasoning_levels (expected a list)'],
    ['shell_type', 'model b has no shell_type (expected one of default, local, unified_exec, shell_command, disabled)'],
    ['visibility', 'model b has no visibility (expected one of list, hide, none)'],
    ['supported_in_api', 'model b has no supported_in_api (expected true or false)'],
    ['priority', 'model b has no priority (expected a whole number)'],
    ['support_verbosity', 'model b has no support_verbosity (expected true or false)'],
    [
      'truncation_policy',
      'model b has no truncation_policy (expected an object with "mode" (bytes or tokens) and "limit")',
    ],
    ['experimental_supported_tools', 'model b has no experimental_supported_tools (expected a list of texts)'],
  ])('is unusable as a whole when one entry lacks %s [MODEL-04] [TRAP-06]', (field, reason) => {
    const { [field]: _left, ...rest } = wireEntry('b');

    expect(reasonOf([wireEntry('a'), rest])).toBe(reason);
  });

  test.each<[string, JsonObject[string], string]>([
    ['visibility', 'secret', '"secret" (expected one of list, hide, none)'],
    ['default_verbosity', 'loud', '"loud" (expected one of low, medium, high)'],
    ['default_reasoning_summary', 'poem', '"poem" (expected one of auto, concise, detailed, none)'],
    ['apply_patch_tool_type', 'yaml', '"yaml" (expected one of freeform, function)'],
    ['web_search_tool_type', 'smell', '"smell" (expected one of text, text_and_image)'],
    ['input_modalities', ['smell'], '["smell"] (expected a list out of text, image)'],
    ['truncation_policy', 'short', '"short" (expected an object)'],
    ['supported_reasoning_levels', ['low'], '["low"] (expected a list of objects with a text "effort")'],
    ['priority', 1.5, '1.5 (expected a whole number)'],
    ['support_verbosity', 'yes', '"yes" (expected true or false)'],
    ['upgrade', {}, '{} (expected an object with a text "model")'],
    ['base_instructions', 7, '7 (expected a text)'],
    ['context_window', '272k', '"272k" (expected a whole number)'],
    ['experimental_supported_tools', [1], '[1] (expected a list of texts)'],
  ])('is unusable as a whole when %s is not understood [MODEL-04]', (field, value, reason) => {
    expect(reasonOf([wireEntry('a', { [field]: value })])).toBe(`model a has ${field} = ${reason}`);
  });

  test('that is broken in many ways is told of in one short line [MODEL-04]', () => {
    const reason = reasonOf([7, {}, wireEntry('evil\u001b[31m', { visibility: 'x'.repeat(500) })]);

    expect(reason).toBe(
      'entry 1 is no object; entry 2 has no slug (expected a text); entry 2 has no display_name (expected a text); and 9 more',
    );
    expect(reasonOf([wireEntry('evil\u001b[31m', { visibility: 'x'.repeat(500) })])).toBe(
      `model evil [31m has visibility = "${'x'.repeat(39)}... (expected one of list, hide, none)`,
    );
  });

  test.each([undefined, null, [], 'text', {}, { models: {} }])('is no %j [MODEL-04]', (body) => {
    expect(parseCatalog(body)).toEqual({ kind: 'unusable', reason: 'there is no list "models" in it' });
  });
});
