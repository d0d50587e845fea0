import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
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

/** All of stdin; on a terminal one line, which is not shown. */
async function readSecret(what: 'key' | 'token', signal: AbortSignal): Promise<string> {
  const { StandardInput } = await import('../process/stdin-source.ts');
  const stdin = new StandardInput();
  if (stdin.kind() === 'terminal') {
    return await readHiddenLine(`Paste the ${what} and press Enter. It is not shown.\n`, signal);
  }
  const read = await stdin.read({ maxBytes: MAX_KEY_BYTES, signal });
  if (read.kind !== 'read') throw new Error(`what comes from stdin is too long for a ${what}`);
  return Buffer.from(read.bytes).toString('utf8');
}

/** What is typed goes to no output. Ctrl-D ends the line too, Ctrl-C the command. */
async function readHiddenLine(invitation: string, signal: AbortSignal): Promise<string> {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  say('stderr', invitation); // from here on nothing is echoed
  try {
    return await new Promise<string>((resolve, reject) => {
      const giveUp = (): void => reject(signal.reason);
      if (signal.aborted) giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      lines.once('line', resolve);
      lines.once('close', () => {
        signal.removeEventListener('abort', giveUp);
        resolve('');
      });
      lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    });
  } finally {
    lines.close();
    process.stdin.unref();
  }
}

async function withDevice(order: Order, place: LoginPlace): Promise<CommandResult> {
  await place.logins.withDevice({
    ...contextOf(order, place),
    onPrompt: ({ verificationUrl, userCode, expiresInMs }) => {
      const minutes = Math.round(expiresInMs / 60_000);
      say(
        'stderr',
        `To log in, open this address on any machine and type in the code:\n\n  ${safeLine(verificationUrl)}\n  ${safeLine(userCode)}\n\n` +
          `The code is good for ${minutes} minutes. Only type it in when you began this login\n` +
          'yourself: whoever sends you a code wants your account. Ctrl-C ends this.\n',
      );
    },
  });
  return say('stderr', LOGGED_IN);
}

async function withBrowser(order: Order, place: LoginPlace): Promise<CommandResult> {
  const canPaste = process.stdin.isTTY === true;
  const pasted = canPaste ? createInterface({ input: process.stdin }) : undefined;
  pasted?.once('close', sayPasteEnded); // Ctrl-D
  try {
    await place.logins.withBrowser({
      ...contextOf(order, place),
      ...(pasted === undefined ? {} : { pasted }),
      onPasteProblem: (message) => say('stderr', `${message}\n`),
      onAuthorizationUrl: (url) => {
        const elsewhere = canPaste ? PASTE_HINT : 'No browser on this machine? Use quire login --device-auth.\n';
        say('stderr', `To log in, open this address in a browser:\n\n${safeLine(url)}\n\n${elsewhere}`);
        if (order.opensBrowser) void import('../mcp/open-browser.ts').then(({ openBrowser }) => openBrowser(url));
      },
    });
    return say('stderr', LOGGED_IN);
  } finally {
    pasted?.off('close', sayPasteEnded).close();
    if (canPaste) process.stdin.unref();
  }
}

const PASTE_HINT = `No browser on this machine? Open the address on another one. It ends at a page
that can not be reached, whose address begins with http://localhost: copy that
address, paste it here and press Enter. Or press Ctrl-C and use
quire login --device-auth.
`;

function sayPasteEnded(): void {
  say('stderr', 'Nothing more can be pasted. The login waits for the browser; Ctrl-C ends it.\n');
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
