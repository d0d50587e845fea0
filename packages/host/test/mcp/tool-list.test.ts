import { expect, test } from 'vitest';
import { nameTools, readTools } from '../../src/mcp/tool-list.ts';
import { stdioConfig } from './support/pool.ts';

const tool = (name: string, hints = {}) => ({ name, description: '', inputSchema: {}, hints });

test('names are made of what the API allows; long ones are cut and end with the hash of the whole [MCP-43]', () => {
  const long = `tool/${'x'.repeat(60)}`;
  const servers = [{ config: stdioConfig('my server'), tools: [tool('löschen 🙂'), tool(long), tool(`${long}y`)] }];
  const names = nameTools(servers).tools.map(({ callName }) => callName);
  expect(names).toEqual([
    'mcp__my_server__l_schen__',
    'mcp__my_server__tool_xxx61fc327433a0c6b34a3fdce17fdcdf75ab177f9a',
    'mcp__my_server__tool_xxxafbc23abda4c93ed5060ca2b463ef0378ac0c3f8',
  ]);
});

test('of two tools with one name the first counts, and names decide the order [MCP-44]', () => {
  const named = nameTools([
    { config: stdioConfig('b'), tools: [tool('z'), tool('a b'), tool('a.b'), tool('A')] },
    { config: stdioConfig('a'), tools: [tool('c')] },
  ]);
  expect(named.tools.map(({ callName, name }) => [callName, name])).toEqual([
    ['mcp__a__c', 'c'],
    ['mcp__b__A', 'A'],
    ['mcp__b__a_b', 'a b'],
    ['mcp__b__z', 'z'],
  ]);
  expect(named.duplicates.map(({ name }) => name)).toEqual(['a.b']);
});

test('settings of a server and of single tools decide about approvals and overlapping [MCP-45]', () => {
  const reading = tool('read', { readOnly: true });
  const config = stdioConfig('s', { approvalMode: 'writes', toolApprovalModes: { write: 'approve' } });
  const modes = (parts: Partial<typeof config>) =>
    nameTools([{ config: { ...config, ...parts }, tools: [reading, tool('toString'), tool('write')] }]).tools.map(
      ({ name, approvalMode, parallelSafe }) => [name, approvalMode, parallelSafe],
    );
  expect(modes({})).toEqual([
    ['read', 'writes', true],
    ['toString', 'writes', false],
    ['write', 'approve', false],
  ]);
  expect(modes({ parallelToolCalls: true, approvalMode: undefined })).toEqual([
    ['read', 'auto', true],
    ['toString', 'auto', true],
    ['write', 'approve', true],
  ]);
  expect(modes({ parallelToolCalls: false })[0]).toEqual(['read', 'writes', false]);
});

test('a list that is too long, and tools that are no tools, are cut down with a word about it [MCP-46]', () => {
  const many = Array.from({ length: 1_100 }, (_, index) => ({ name: `t${index}` }));
  const { tools, problems } = readTools(many);
  expect([tools.length, problems]).toEqual([1_024, ['offers 1100 tools; the first 1024 are taken']]);
  const odd = readTools([
    {},
    { name: '' },
    { name: 'huge', description: 'x'.repeat(300_000) },
    { name: 'ok', title: 'T', inputSchema: 'none', annotations: { readOnlyHint: 'yes', destructiveHint: true } },
  ]);
  expect(odd).toEqual({
    tools: [{ name: 'ok', description: 'T', inputSchema: {}, hints: { destructive: true } }],
    problems: [
      'offers a tool without a name, which is left out',
      'offers a tool without a name, which is left out',
      'describes its tool huge with too many words, so it is left out',
    ],
  });
});
