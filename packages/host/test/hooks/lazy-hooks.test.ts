import type { HookedCall } from '@quire/core';
import type { TurnId } from '@quire/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { createToolHooks } from '../../src/index.ts';

afterEach(() => {
  vi.doUnmock('../../src/hooks/command-hooks.ts');
});

test('nothing is loaded for calls that no hook means, and nothing is left to close [HOOK-01]', async () => {
  vi.doMock('../../src/hooks/command-hooks.ts', () => {
    throw new Error('loaded');
  });
  const definition = {
    event: 'PreToolUse',
    name: 'H',
    matcher: 'Bash',
    command: 'x',
    timeoutMs: 1,
    fail: 'open',
  } as const;
  const hooks = createToolHooks({ hooks: [definition], threadId: 't', environment: {}, onNotice: () => undefined });
  const call: HookedCall = { turnId: 't' as TurnId, callId: 'c', tool: 'plan', kind: 'plan', input: {}, cwd: '/' };
  const options = { signal: new AbortController().signal };
  expect([
    await hooks?.before(call, options),
    await hooks?.after({ ...call, output: '', succeeded: true }, options),
    await hooks?.before({ ...call, kind: 'command' }, options).catch((error: Error) => String(error.cause)),
    await hooks?.close().catch((error: Error) => String(error.cause)),
  ]).toEqual([{ kind: 'go-on' }, { feedback: undefined }, 'Error: loaded', 'Error: loaded']);
});
