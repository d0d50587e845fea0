import { setImmediate, setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from '../support/processes.ts';
import { isAlive, NEVER, openPool, settled, stdioConfig } from './support/pool.ts';

const call = (server: string, tool: string, args = {}) => ({ server, tool, arguments: args });

test('tools of a server appear when it is ready, named, sorted and described [MCP-01]', async () => {
  await using t = await openPool();
  const lease = t.acquire(
    stdioConfig('files.one', { enabledTools: ['echo', 'read only!', 'die'], disabledTools: ['die'] }),
  );
  expect([lease.tools, lease.serverNames]).toEqual([[], ['files.one']]);
  await settled(lease);
  const common = { server: 'files.one', approvalMode: 'auto' };
  expect(lease.tools).toEqual([
    {
      ...common,
      callName: 'mcp__files_one__echo',
      name: 'echo',
      description: 'Says it again.',
      inputSchema: { type: 'object', properties: { a: {} } },
      hints: {},
      parallelSafe: false,
    },
    {
      ...common,
      callName: 'mcp__files_one__read_only_',
      name: 'read only!',
      description: '',
      inputSchema: {},
      hints: { readOnly: true },
      parallelSafe: true,
    },
  ]);
  expect(lease.tools).toBe(lease.tools);
  expect(await lease.callTool(call('files.one', 'echo', { a: 1 }), { signal: NEVER })).toEqual({
    kind: 'answered',
    content: [{ type: 'text', text: '{"a":1}' }],
    structuredContent: undefined,
    isError: false,
  });
  expect(t.notices).toEqual([]);
});

test('fifty threads share one process, which ends with the last of them [MCP-02]', async () => {
  await using t = await openPool();
  const config = stdioConfig('shared', { startsFile: t.startsFile });
  const leases = Array.from({ length: 50 }, () => t.acquire(config));
  await Promise.all(leases.map(settled));
  expect(t.starts()).toHaveLength(1);
  const [pid] = t.starts();
  const [last, ...others] = leases;
  await Promise.all(others.map((lease) => lease.release()));
  expect(isAlive(pid)).toBe(true);
  expect(await last?.callTool(call('shared', 'echo'), { signal: NEVER })).toMatchObject({ kind: 'answered' });
  await last?.release();
  await last?.release();
  expect(isAlive(pid)).toBe(false);
  await settled(t.acquire(config));
  expect(t.starts()).toHaveLength(2);
});

test('threads that configure a server differently do not share it [MCP-03]', async () => {
  await using t = await openPool();
  const base = { startsFile: t.startsFile };
  const leases = [
    t.acquire(stdioConfig('one', base)),
    t.acquire(stdioConfig('one', { ...base, env: { A: '1' } })),
    t.acquire(stdioConfig('one', { ...base, toolTimeoutMs: 5, enabledTools: ['echo'] })),
  ];
  await Promise.all(leases.map(settled));
  expect(t.starts()).toHaveLength(2);
  expect(leases.map((lease) => lease.tools.length)).toEqual([8, 8, 1]);
});

test('a server that never answers holds up neither who asks for it, nor the others, nor the end [MCP-04]', async () => {
  await using t = await openPool();
  const begun = performance.now();
  const lease = t.acquire(
    stdioConfig('mute', { fault: 'never-answers', startsFile: t.startsFile }),
    stdioConfig('good'),
  );
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(await eventually(() => lease.tools.length === 8, { withinMs: 20_000 })).toBe(true);
  expect(lease.statuses.map(({ name, state }) => [name, state])).toEqual([
    ['good', 'ready'],
    ['mute', 'starting'],
  ]);
  const [pid] = t.starts();
  const closing = performance.now();
  await t.pool.close();
  expect(performance.now() - closing).toBeLessThan(5_000);
  expect(isAlive(pid)).toBe(false);
  expect(t.notices).toEqual([]);
});

test('a server that is not ready in time is given up with one line [MCP-05]', async () => {
  await using t = await openPool();
  const lease = t.acquire(
    stdioConfig('mute', { fault: 'never-answers', startupTimeoutMs: 400, startsFile: t.startsFile }),
  );
  await settled(lease);
  const line =
    'MCP server mute was not ready within 0.4 s and was given up; mcp_servers.mute.startup_timeout_sec gives it longer';
  expect(t.notices).toEqual([line]);
  expect(lease.statuses).toEqual([{ name: 'mute', state: 'down', problem: line, toolCount: 0 }]);
  expect(isAlive(t.starts()[0])).toBe(false);
  expect(
    await lease.listResources({ kind: 'resources', server: 'mute', cursor: undefined }, { signal: NEVER }),
  ).toEqual({
    kind: 'failed',
    reason: line,
  });
});

test.each([
  ['dies-at-start', 'MCP server bad ended (exit code 3): cannot find the database'],
  ['dies-when-asked', 'MCP server bad ended (exit code 9) and printed nothing to standard error'],
  ['floods-lines', 'MCP server bad sends more than anybody can read, so it was ended'],
  ['floods-line', 'MCP server bad sent a message of more than 16777216 bytes, so it was ended'],
])('a server that %s is reported in one line and leaves the others alone [MCP-06]', async (fault, line) => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('bad', { fault }), stdioConfig('good', { fault: 'floods-errors' }));
  await settled(lease);
  expect(await eventually(() => t.notices.length > 0, { withinMs: 10_000 })).toBe(true);
  expect(t.notices.filter((notice) => !notice.includes('no message'))).toEqual([expect.stringContaining(line)]);
  expect(await lease.callTool(call('good', 'echo'), { signal: NEVER })).toMatchObject({ kind: 'answered' });
});

test('a server that prints other things to its output works, and that is said once [MCP-07]', async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('chatty', { fault: 'garbage' }));
  await settled(lease);
  expect(await lease.callTool(call('chatty', 'echo'), { signal: NEVER })).toMatchObject({ kind: 'answered' });
  expect(t.notices).toEqual([
    'MCP server chatty prints to standard output what is no message; those lines are skipped',
  ]);
});

test.each([
  [{ command: '/nonexistent/program' }, '/nonexistent/program could not be started (there is no such program)'],
  [{ cwd: '/nonexistent/directory' }, 'its working directory /nonexistent/directory can not be used'],
])('a program that can not be started is told from a directory that is not there [MCP-08]', async (parts, line) => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('gone', parts));
  await settled(lease);
  expect(t.notices).toEqual([expect.stringContaining(line)]);
});

test('a server that dies in a call fails that call and is there for the next, but not for ever [MCP-09]', async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('weak', { startsFile: t.startsFile }));
  await settled(lease);
  const before = lease.tools;
  const died = { kind: 'failed', reason: 'MCP server weak ended (exit code 7): I had enough' };
  for (let round = 0; round < 4; round += 1) {
    expect(await lease.callTool(call('weak', 'die'), { signal: NEVER })).toEqual(died);
  }
  expect(lease.tools).toBe(before);
  expect(t.starts()).toHaveLength(4);
  expect(await lease.callTool(call('weak', 'echo'), { signal: NEVER })).toEqual(died);
  expect(t.starts()).toHaveLength(4);
  expect(t.notices).toEqual([
    `${died.reason}; it is started again when it is needed`,
    `${died.reason}; it is left alone now`,
  ]);
});

test('a call that takes too long fails, and the server is told [MCP-10]', async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('slow', { toolTimeoutMs: 200, startsFile: t.startsFile }));
  await settled(lease);
  expect(await lease.callTool(call('slow', 'hang'), { signal: NEVER })).toEqual({
    kind: 'failed',
    reason:
      'MCP server slow did not answer the call of hang within 0.2 s; mcp_servers.slow.tool_timeout_sec gives it longer',
  });
  expect(await eventually(() => t.starts().length === 2, { withinMs: 10_000 })).toBe(true);
  expect(t.starts()[1]).toMatch(/^cancelled \d+$/);
});

test('an aborted call rejects at once with its reason, and the server is told [MCP-11]', async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('slow', { startsFile: t.startsFile }));
  await settled(lease);
  const abort = new AbortController();
  const reason = new Error('enough');
  const calling = lease.callTool(call('slow', 'hang'), { signal: abort.signal });
  await setImmediate();
  abort.abort(reason);
  await expect(calling).rejects.toBe(reason);
  expect(await eventually(() => t.starts().length === 2, { withinMs: 10_000 })).toBe(true);
  expect(await lease.callTool(call('slow', 'echo'), { signal: NEVER })).toMatchObject({ kind: 'answered' });
});

test('an error of a server is a failure that says which [MCP-12]', async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('picky'));
  await settled(lease);
  expect(await lease.callTool(call('picky', 'refuse'), { signal: NEVER })).toEqual({
    kind: 'failed',
    reason: 'MCP server picky answered with error -32602: no such thing',
  });
});

test('a server gets a few variables and its own, and nothing else of the environment [MCP-13]', async () => {
  const environment = { PATH: process.env['PATH'], HOME: '/h', SECRET_KEY: 'k', WANTED: 'w', HTTP_PROXY: 'p' };
  await using t = await openPool({ environment });
  const lease = t.acquire(stdioConfig('nosy', { env: { OWN: 'o', HOME: '/own' }, envVars: ['WANTED', 'MISSING'] }));
  await settled(lease);
  const answer = await lease.callTool(call('nosy', 'environment'), { signal: NEVER });
  const seen = answer.kind === 'answered' ? answer.structuredContent : undefined;
  const { QUIRE_OWNER: mark, ...variables } = seen as Record<string, string>;
  expect(variables).toEqual({ PATH: process.env['PATH'], HOME: '/own', OWN: 'o', WANTED: 'w', cwd: t.directory });
  expect(mark).toMatch(/^[0-9a-f]{32}\.1$/);
});

test('forms go to whoever called, time stands still meanwhile, and nobody there is a no [MCP-14]', async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('asks', { toolTimeoutMs: 2_000 }));
  await settled(lease);
  const asked: unknown[] = [];
  const answer = await lease.callTool(call('asks', 'form'), {
    signal: NEVER,
    elicit: async (request) => {
      asked.push(request);
      await setTimeout(2_500);
      return { kind: 'accepted', content: { name: 'Ada' } };
    },
  });
  const text = (value: object) => ({ kind: 'answered', content: [{ type: 'text', text: JSON.stringify(value) }] });
  expect(answer).toMatchObject(text({ action: 'accept', content: { name: 'Ada' } }));
  expect(asked).toEqual([
    {
      server: 'asks',
      message: 'Who?',
      schema: { type: 'object', properties: { name: { type: 'string' } } },
      url: undefined,
    },
  ]);
  expect(await lease.callTool(call('asks', 'form'), { signal: NEVER })).toMatchObject(text({ action: 'decline' }));
});

test('a changed list of tools is read again, once for many announcements [MCP-15]', async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('grows'));
  await settled(lease);
  const before = lease.tools;
  await lease.callTool(call('grows', 'grow'), { signal: NEVER });
  expect(await eventually(() => lease.tools !== before, { withinMs: 10_000 })).toBe(true);
  expect(lease.tools.map(({ name }) => name)).toContain('extra');
});

test('resources are listed by page and read [MCP-16]', async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('docs'));
  const list = (cursor: string | undefined) =>
    lease.listResources({ kind: 'resources', server: 'docs', cursor }, { signal: NEVER });
  expect(await list(/* cursor */ undefined)).toEqual({
    kind: 'read',
    value: { entries: [{ uri: 'r://1', name: 'one' }], nextCursor: 'two' },
  });
  expect(await list('two')).toEqual({
    kind: 'read',
    value: { entries: [{ uri: 'r://2', name: 'two' }], nextCursor: undefined },
  });
  expect(await lease.readResource({ server: 'docs', uri: 'r://1' }, { signal: NEVER })).toEqual({
    kind: 'read',
    value: { contents: [{ uri: 'r://1', text: 'T' }] },
  });
  expect(await lease.readResource({ server: 'other', uri: 'r://1' }, { signal: NEVER })).toEqual({
    kind: 'failed',
    reason: 'there is no MCP server "other"',
  });
});

test('a required server that is not to be had is an error, one that is not required is none [MCP-17]', async () => {
  await using t = await openPool();
  const bad = { fault: 'dies-at-start' };
  await t
    .acquire(stdioConfig('optional', bad), stdioConfig('good', { required: true }))
    .requiredReady({ signal: NEVER });
  await expect(
    t.acquire(stdioConfig('must', { ...bad, required: true })).requiredReady({ signal: NEVER }),
  ).rejects.toThrow(
    'MCP server must ended (exit code 3): cannot find the database (it is required: mcp_servers.must.required)',
  );
});

test('a server that ignores the end of its input is killed soon [MCP-18]', async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('stubborn', { fault: 'ignores-end', startsFile: t.startsFile }));
  await settled(lease);
  const begun = performance.now();
  await lease.release();
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(isAlive(t.starts()[0])).toBe(false);
});

test('disabled servers are not started, and a closed pool has none [MCP-19]', async () => {
  await using t = await openPool();
  const lease = t.acquire(stdioConfig('off', { enabled: false, startsFile: t.startsFile }));
  expect([lease.serverNames, lease.statuses]).toEqual([[], []]);
  await t.pool.close();
  expect(t.acquire(stdioConfig('late')).serverNames).toEqual([]);
  expect(t.starts()).toEqual([]);
});

test('servers wait for what is to happen first, but not when they are needed [MCP-20]', async () => {
  await using t = await openPool();
  const config = stdioConfig('patient', { startsFile: t.startsFile });
  const startAfter = new Promise(() => undefined);
  const lease = t.pool.acquire({ servers: [config], cwd: t.directory, onNotice: () => undefined, startAfter });
  await setImmediate();
  await setImmediate();
  expect(lease.statuses).toMatchObject([{ state: 'idle' }]);
  await lease.readResource({ server: 'patient', uri: 'r://1' }, { signal: NEVER });
  expect(lease.statuses).toMatchObject([{ state: 'ready' }]);
});
