import { findModel } from '@quire/core';
import { describe, expect, test } from 'vitest';

describe('a model name', () => {
  test('is known by the longest entry that it begins with, and stays as it was written [CORE-60]', () => {
    expect(findModel('gpt-5.1-codex-max-2025')).toMatchObject({
      slug: 'gpt-5.1-codex-max-2025',
      displayName: 'gpt-5.1-codex-max',
    });
    expect(findModel('custom/gpt-5.2')).toMatchObject({
      slug: 'custom/gpt-5.2',
      displayName: 'gpt-5.2',
      isFallback: false,
    });
  });

  test('that nobody described gets general values [CORE-61]', () => {
    expect(findModel('a/b/gpt-5.2').isFallback).toBe(true);
    expect(findModel('llama')).toMatchObject({ slug: 'llama', applyPatchTool: 'function', isFallback: true });
  });
});
