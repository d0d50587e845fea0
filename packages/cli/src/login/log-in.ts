import { createInterface } from 'node:readline';
import type { LoginContext } from '@quire/auth';
import type { CommandResult } from '../end-process.ts';
import { safeLine } from '../exec/safe-text.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../say.ts';
import type { LoginOrder } from './arguments.ts';
import type { LoginPlace } from './place.ts';

type Order = Extract<LoginOrder, { kind: 'login' }>;

/** Logs in, in one of the ways. Rejects with AuthError, or the reason of the signal. */
export async function logIn(order: Order, place: LoginPlace): Promise<CommandResult> {
  const refusal = methodRefusal(order, place);
  if (refusal !== undefined) {
    say('stderr', `quire: ${refusal}\n`);
    return { exitCode: EXIT.failed, settled: true };
  }
  switch (order.method) {
    case 'api-key':
      return await withKey(place);
    case 'access-token':
      return await withAccessToken(order, place);
    case 'device':
      return await withDevice(order, place);
    case 'browser':
      return await withBrowser(order, place);
  }
}

/** What the configuration forbids is refused, and the login that there is stays. */
function methodRefusal({ method }: Order, { restrictions }: LoginPlace): string | undefined {
  if (restrictions.method === 'chatgpt' && method === 'api-key') {
    return 'forced_login_method in config.toml allows only ChatGPT logins; leave --with-api-key away';
  }
  if (restrictions.method === 'api' && method !== 'api-key') {
    return 'forced_login_method in config.toml allows only API keys; use --with-api-key';
  }
  return undefined;
}

const MAX_KEY_BYTES = 64 * 1024;

async function withKey({ logins, keeper, signal }: LoginPlace): Promise<CommandResult> {
  await logins.withKey(keeper, await readSecret('key', signal), { signal });
  return say('stderr', 'The API key is stored. It is tried with the first request.\n');
}

async function withAccessToken(order: Order, place: LoginPlace): Promise<CommandResult> {
  await place.logins.withAccessToken(await readSecret('token', place.signal), contextOf(order, place));
  return say('stderr', LOGGED_IN);
}

/** All of stdin. */
async function readSecret(what: 'key' | 'token', signal: AbortSignal): Promise<string> {
  const { StandardInput } = await import('../process/stdin-source.ts');
  const stdin = new StandardInput();
  if (stdin.kind() === 'terminal') say('stderr', `Type or paste the ${what}, then press Enter and Ctrl-D.\n`);
  const read = await stdin.read({ maxBytes: MAX_KEY_BYTES, signal });
  if (read.kind !== 'read') throw new Error(`what comes from stdin is too long for a ${what}`);
  return Buffer.from(read.bytes).toString('utf8');
}

async function withDevice(order: Order, place: LoginPlace): Promise<CommandResult> {
  await place.logins.withDevice({
    ...contextOf(order, place),
    onPrompt: ({ verificationUrl, userCode, expiresInMs }) => {
      const minutes = Math.round(expiresInMs / 60_000);
      say(
        'stderr',
        `To log in, open this address on any machine and type in the code:\n\n  ${safeLine(verificationUrl)}\n  ${safeLine(userCode)}\n\n` +
          `The code is good for ${minutes} minutes. Only type it in when you began this login yourself: whoever\n` +
          'sends you a code wants your account.\n',
      );
    },
  });
  return say('stderr', LOGGED_IN);
}

async function withBrowser(order: Order, place: LoginPlace): Promise<CommandResult> {
  const canPaste = process.stdin.isTTY === true;
  const pasted = canPaste ? createInterface({ input: process.stdin }) : undefined;
  try {
    await place.logins.withBrowser({
      ...contextOf(order, place),
      ...(pasted === undefined ? {} : { pasted }),
      onPasteProblem: (message) => say('stderr', `${message}\n`),
      onAuthorizationUrl: (url) => {
        const paste = canPaste ? 'No browser here? Open it elsewhere, and paste the address where it ends up.\n' : '';
        say(
          'stderr',
          `To log in, open this address in a browser:\n\n${safeLine(url)}\n\n${paste}Or stop this and use quire login --device-auth.\n`,
        );
        if (order.opensBrowser) void import('../mcp/open-browser.ts').then(({ openBrowser }) => openBrowser(url));
      },
    });
    return say('stderr', LOGGED_IN);
  } finally {
    pasted?.close();
    if (canPaste) process.stdin.unref();
  }
}

const LOGGED_IN = 'You are logged in.\n';

function contextOf({ issuer }: Order, place: LoginPlace): LoginContext {
  const { keeper, dialer, client, environment, restrictions, signal } = place;
  return {
    keeper,
    dialer,
    client,
    environment,
    workspaces: restrictions.workspaces,
    signal,
    onWarning: (message) => say('stderr', `quire: ${safeLine(message)}\n`),
    ...(issuer === undefined ? {} : { issuer }),
  };
}
