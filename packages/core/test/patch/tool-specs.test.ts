import { expect, test } from 'vitest';
import { freeformPatchTool, functionPatchTool, parsePatch } from '../../src/patch/index.ts';

test('the freeform tool carries a Lark grammar whose rules are all defined [PATCH-45]', () => {
  if (freeformPatchTool.type !== 'custom' || freeformPatchTool.format.type !== 'grammar') throw new Error('no grammar');
  const { definition, syntax } = freeformPatchTool.format;
  const rules = definition.split('\n').flatMap((line) => /^(\w+): (.*)$/.exec(line)?.slice(1) ?? []);
  const defined = rules.filter((_, index) => index % 2 === 0);
  const used = rules
    .filter((_, index) => index % 2 === 1)
    .flatMap((body) => body.replace(/"[^"]*"|\/[^/]*\//g, '').match(/\w+/g) ?? []);
  expect({ name: freeformPatchTool.name, syntax }).toEqual({ name: 'apply_patch', syntax: 'lark' });
  expect([...new Set(used)].sort()).toEqual([...new Set([...defined.filter((rule) => rule !== 'start'), 'LF'])].sort());
});

test('the example that the function tool teaches is a valid patch [PATCH-46]', () => {
  if (functionPatchTool.type !== 'function') throw new Error('no function');
  const { description } = functionPatchTool;
  const example = description.slice(description.lastIndexOf('*** Begin Patch'));
  const kinds = parsePatch(example).sections.map(({ kind, path }) => `${kind} ${path}`);
  expect(kinds).toEqual(['update src/price.py', 'add docs/pricing.md', 'delete docs/old-notes.md']);
  expect(functionPatchTool.parameters['required']).toEqual(['input']);
});
