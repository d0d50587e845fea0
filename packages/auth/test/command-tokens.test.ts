import { ModelError } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  AuthError,
  CommandTokens,
  type CommandTokensOptions,
  createCredentialsSource,
  type TokenCommandEnd,
} from '../src/index.ts';

const signal = new AbortController().signal;
const exited = (
  stdout: string,
  { exitCode = 0, stderr = '' }: { readonly exitCode?: number; readonly stderr?: string } = {},
): TokenCommandEnd => ({
  kind: 'exited',
  exitCode,
  stdout,
  stderr,
});

function tokensOf(run: CommandTokensOptions['run'], more: Partial<CommandTokensOptions> = {}): CommandTokens {
  return new CommandTokens({
    providerId: 'work',
    command: '/opt/print-token',
    refreshIntervalMs: 1000,
    run,
    redact: (text) => text.replaceAll('known-secret', '[redacted]'),
    onToken: () => undefined,
    ...more,
  });
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'none',
    (error: unknown) => (error instanceof AuthError ? `${error.code}: ${error.message}` : String(error)),
  );
}

describe('a token that a program prints', () => {
  test('is trimmed, told before it is used, and kept until its time is up [AUTH-110]', async () => {
    let runs = 0;
    let nowMs = 0;
    const told: string[] = [];
    const tokens = tokensOf(async () => exited(`  token-${++runs}\n`), {
      now: () => nowMs,
      onToken: (token) => told.push(token),
    });
    const seen = [await tokens.current({ signal }), await tokens.current({ signal })];
    nowMs = 999;
    seen.push(await tokens.current({ signal }));
    nowMs = 1000;
    seen.push(await tokens.current({ signal }));
    expect(seen).toEqual(['token-1', 'token-1', 'token-1', 'token-2']);
    expect(told).toEqual(['token-1', 'token-2']);
  });

  test('is kept until it is refused when the interval is 0 [AUTH-110]', async () => {
    let runs = 0;
    let nowMs = 0;
    const tokens = tokensOf(async () => exited(`token-${++runs}`), { now: () => nowMs, refreshIntervalMs: 0 });
    await tokens.current({ signal });
    nowMs = Number.MAX_SAFE_INTEGER;
    expect(await tokens.current({ signal })).toBe('token-1');
    expect(await tokens.renew('token-1', { signal })).toBe('token-2');
  });

  test('is asked for once for all who want it, and again only for the one that was refused [AUTH-111]', async () => {
    let runs = 0;
    const tokens = tokensOf(async () => exited(`token-${++runs}`));
    const all = await Promise.all([1, 2, 3].map(() => tokens.current({ signal })));
    expect(all).toEqual(['token-1', 'token-1', 'token-1']);
    expect(await Promise.all([1, 2].map(() => tokens.renew('token-1', { signal })))).toEqual(['token-2', 'token-2']);
    expect(await tokens.renew('token-1', { signal })).toBe('token-2');
  });

  test('is not waited for by who gave up, and the program is ended with the last of them [AUTH-112]', async () => {
    let ended = 0;
    const tokens = tokensOf(
      ({ signal: stop }) =>
        new Promise((_resolve, reject) => {
          stop.addEventListener('abort', () => {
            ended += 1;
            reject(stop.reason);
          });
        }),
    );
    const [one, other] = [new AbortController(), new AbortController()];
    const waiting = [one, other].map((who) => problemOf(tokens.current({ signal: who.signal })));
    one.abort(new Error('first'));
    expect(await waiting[0]).toBe('Error: first');
    expect(ended).toBe(0);
    other.abort(new Error('second'));
    expect(await waiting[1]).toBe('Error: second');
    expect(ended).toBe(1);
  });

  test.each([
    [
      'exits with an error',
      exited('', { exitCode: 3, stderr: 'one\nlogin first\n' }),
      'ended with code 3: login first',
    ],
    [
      'repeats a secret',
      exited('tok-9876', { exitCode: 1, stderr: 'bad tok-9876 known-secret' }),
      'ended with code 1: bad ***** [redacted]',
    ],
    ['prints nothing', exited(' \n'), 'printed no token'],
    ['says why it prints nothing', exited('', { stderr: 'no session' }), 'printed no token: no session'],
    [
      'prints several words',
      exited('Token: abc'),
      'printed more than a token: there are spaces, line ends or other characters in it',
    ],
    [
      'prints what is no text',
      exited('\ufffd\ufffd'),
      'printed more than a token: there are spaces, line ends or other characters in it',
    ],
    ['prints far too much', exited('a'.repeat(20_000)), 'printed more than 16384 characters'],
    ['hangs', { kind: 'fault', problem: 'gave no answer in 5 s' } as const, 'gave no answer in 5 s'],
  ])(
    'is not had of one that %s; the error names provider and program, and is not kept [AUTH-113]',
    async (_, end, what) => {
      let runs = 0;
      const tokens = tokensOf(async () => (++runs === 1 ? end : exited('good')));
      expect(await problemOf(tokens.current({ signal }))).toBe(
        `token-command: the program /opt/print-token, which prints the token of the model provider "work", ${what}; see model_providers.work.auth`,
      );
      expect(await tokens.current({ signal })).toBe('good');
    },
  );
});

test('a provider with such a program uses nothing else, and a 401 has it run once more [AUTH-114]', async () => {
  let runs = 0;
  const source = createCredentialsSource({
    provider: {
      id: 'work',
      envKey: undefined,
      envKeyInstructions: undefined,
      bearerToken: undefined,
      requiresOpenaiAuth: false,
    },
    home: '/none',
    environment: { CODEX_API_KEY: 'sk-other' },
    apiKeyFromEnvironment: true,
    commandTokens: tokensOf(async () => (++runs < 3 ? exited(`token-${runs}`) : exited('', { exitCode: 1 }))),
  });
  expect(await source.current({ signal })).toEqual({ kind: 'api-key', token: 'token-1' });
  const steps = [];
  for await (const step of source.recover({ signal })) steps.push(step);
  expect(steps).toEqual([
    {
      mode: 'external',
      phase: 'external_refresh',
      credentials: { kind: 'api-key', token: 'token-2' },
      changed: true,
    },
  ]);
  const failure = await source
    .recover({ signal })
    [Symbol.asyncIterator]()
    .next()
    .then(undefined, (error: unknown) => error);
  expect(failure).toBeInstanceOf(ModelError);
  expect(failure).toMatchObject({ code: 'unauthorized', retryable: false });
});
