import type { SandboxMode } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import type { ThreadSettings, WebSearchMode, WebSearchSettings } from '../../../src/thread/settings.ts';
import { webSearchMode, webSearchSpec, webSearchWarning } from '../../../src/tools/web-search/web-search-spec.ts';
import { settings } from '../../thread/harness.ts';

const NOTHING_CHOSEN: WebSearchSettings = {
  mode: undefined,
  allowedDomains: undefined,
  contextSize: undefined,
  location: undefined,
  isServed: true,
};

function given(webSearch: Partial<WebSearchSettings>, mode: SandboxMode = 'read-only'): ThreadSettings {
  const usual = settings();
  return settings({ webSearch: { ...NOTHING_CHOSEN, ...webSearch }, sandbox: { ...usual.sandbox, mode } });
}

describe('the mode of a turn', () => {
  test.each<[WebSearchMode | undefined, boolean, SandboxMode, WebSearchMode]>([
    [undefined, true, 'read-only', 'cached'],
    [undefined, true, 'workspace-write', 'cached'],
    [undefined, true, 'danger-full-access', 'live'],
    [undefined, false, 'read-only', 'disabled'],
    [undefined, false, 'danger-full-access', 'disabled'],
    ['disabled', true, 'danger-full-access', 'disabled'],
    ['cached', true, 'workspace-write', 'cached'],
    ['cached', true, 'danger-full-access', 'live'],
    ['cached', false, 'danger-full-access', 'live'],
    ['live', true, 'read-only', 'live'],
    ['cached', false, 'read-only', 'cached'],
    ['live', false, 'danger-full-access', 'live'],
  ])('%s, known to search: %s, %s: %s [WEB-01] [WEB-02] [WEB-03] [TRAP-12]', (mode, isServed, sandbox, expected) => {
    expect(webSearchMode(given({ mode, isServed }, sandbox))).toBe(expected);
  });
});

test('a mode decides whether the tool is there and whether it reaches out [WEB-04]', () => {
  expect(webSearchSpec(given({ mode: 'disabled' }))).toBeUndefined();
  expect(webSearchSpec(given({ mode: 'cached' }))).toEqual({ type: 'web_search', external_web_access: false });
  expect(webSearchSpec(given({ mode: 'live' }))).toEqual({ type: 'web_search', external_web_access: true });
});

test('filters, place and amount are part of the tool, kinds of content by the model [WEB-05]', () => {
  const full = given({
    mode: 'live',
    allowedDomains: ['example.org'],
    contextSize: 'high',
    location: { country: 'NO', city: 'Oslo' },
  });
  const model = { ...full.model, webSearchTool: 'text_and_image' } as const;
  expect(webSearchSpec({ ...full, model })).toEqual({
    type: 'web_search',
    external_web_access: true,
    filters: { allowed_domains: ['example.org'] },
    user_location: { type: 'approximate', country: 'NO', city: 'Oslo' },
    search_context_size: 'high',
    search_content_types: ['text', 'image'],
  });
  expect(webSearchSpec(given({ mode: 'live', allowedDomains: [] }))).not.toHaveProperty('filters');
});

test('a search that the provider may pass over is said, and only that [WEB-06]', () => {
  expect(webSearchWarning({ mode: 'live', isServed: false }, 'my "lab"')).toBe(
    'Web search is live, but the provider "my \\"lab\\"" is not known to run searches: it may ignore the tool without ' +
      'saying so. Set web_search = "disabled" to offer none.',
  );
  expect(webSearchWarning({ mode: 'cached', isServed: false }, 'lab')).toContain('Web search is cached');
  for (const silent of [
    { mode: 'disabled', isServed: false },
    { mode: undefined, isServed: false },
    { mode: 'live', isServed: true },
  ] as const) {
    expect(webSearchWarning(silent, 'lab')).toBeUndefined();
  }
});
