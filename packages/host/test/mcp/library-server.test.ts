import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/processes.ts';
import { NEVER, openPool, settled, stdioConfig } from './support/pool.ts';

test("a server of the protocol's own library is served in full: tools, forms, errors, changes, resources [MCP-47]", async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('lib', { args: [join(import.meta.dirname, 'support/library-server.mjs')] }));
  await settled(lease);
  expect(t.notices).toEqual([]);
  expect(lease.tools.map(({ name, hints }) => [name, hints])).toEqual([
    ['ask', { readOnly: true }],
    ['fail', {}],
  ]);
  const call = (tool: string) => ({ server: 'lib', tool, arguments: {} });
  const answer = await lease.callTool(call('ask'), {
    signal: NEVER,
    elicit: () => Promise.resolve({ kind: 'accepted', content: { colour: 'red' } }),
  });
  const text = JSON.stringify({ action: 'accept', content: { colour: 'red' } });
  expect(answer).toMatchObject({ kind: 'answered', content: [{ type: 'text', text }], isError: false });
  expect(await eventually(() => lease.tools.length === 3, { withinMs: 10_000 })).toBe(true);
  expect(await lease.callTool(call('fail'), { signal: NEVER })).toMatchObject({
    kind: 'answered',
    content: [{ text: 'broken inside' }],
    isError: true,
  });
  const query = { kind: 'resources', server: 'lib', cursor: undefined } as const;
  expect(await lease.listResources(query, { signal: NEVER })).toMatchObject({
    kind: 'read',
    value: { entries: [{ uri: 'note://1', name: 'note' }] },
  });
  expect(await lease.readResource({ server: 'lib', uri: 'note://1' }, { signal: NEVER })).toMatchObject({
    kind: 'read',
    value: { contents: [{ uri: 'note://1', text: 'hello' }] },
  });
});
