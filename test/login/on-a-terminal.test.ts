/** `quire login` on the terminal of a machine without a browser: what the person reads there, and what their keys do. */
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { playScenes, whyNoOwnNetwork } from './support/own-network.ts';

const SCENES = [
  ['paste', 'paste-refusal', 'ctrl-c', 'ctrl-d'],
  ['device', 'device-ctrl-c', 'typed-key', 'typed-ctrl-c', 'typed-ctrl-d'],
] as const;

let missing: string | undefined;
let outcomes: Readonly<Record<string, unknown>> = {};
beforeAll(async () => {
  missing = await whyNoOwnNetwork();
  if (missing === undefined) outcomes = await playScenes('login-on-terminal', SCENES);
}, 240_000);

function outcomeOf(scene: string, { skip }: TestContext): unknown {
  if (missing !== undefined) skip(missing);
  return outcomes[scene];
}

const lines = (...texts: readonly string[]): string => `${texts.join('\n')}\n`;
const INVITATION = [
  'To log in, open this address in a browser:',
  '',
  '<issuer/oauth/authorize?…>',
  '',
  'No browser on this machine? Open the address on another one. It ends at a page',
  'that can not be reached, whose address begins with http://localhost: copy that',
  'address, paste it here and press Enter. Or press Ctrl-C and use',
  'quire login --device-auth.',
];
const PASTED = '<localhost:1455/auth/callback?…>';
const WRONG = 'That is not where this login ends. Paste the whole address, which begins with http://localhost.';
const LOGGED_IN = ['You are logged in.', '[code 0, terminal same]'];
const GIVEN_UP = ['quire: the login was given up', '[code 130, terminal same]'];
const CODE = [
  'To log in, open this address on any machine and type in the code:',
  '',
  '  <issuer/codex/device>',
  '  <code>',
  '',
  'The code is good for 15 minutes. Only type it in when you began this login',
  'yourself: whoever sends you a code wants your account. Ctrl-C ends this.',
];

describe('quire login on a terminal without a browser', () => {
  test('takes the address where a browser elsewhere ended up; what is not that is said so [LOGIN-11] [AUTH-86]', (context) => {
    const tries = [PASTED, WRONG, PASTED, WRONG, '', `  ${PASTED}`];
    expect(outcomeOf('paste', context)).toEqual({
      screen: lines(...INVITATION, ...tries, ...LOGGED_IN),
      isLoggedIn: true,
    });
  });

  test('tells what the service refused [LOGIN-11]', (context) => {
    const refused = ['quire: the login was refused: the person said no', '[code 1, terminal same]'];
    expect(outcomeOf('paste-refusal', context)).toEqual({
      screen: lines(...INVITATION, PASTED, ...refused),
      isLoggedIn: false,
    });
  });

  test('is given up with Ctrl-C [LOGIN-11]', (context) => {
    expect(outcomeOf('ctrl-c', context)).toEqual({
      screen: lines(...INVITATION, '^C', ...GIVEN_UP),
      isLoggedIn: false,
    });
  });

  test('goes on behind Ctrl-D, says so, and takes the browser that comes [LOGIN-11]', (context) => {
    const ended = 'Nothing more can be pasted. The login waits for the browser; Ctrl-C ends it.';
    expect(outcomeOf('ctrl-d', context)).toEqual({
      screen: lines(...INVITATION, ended, ...LOGGED_IN),
      isLoggedIn: true,
    });
  });

  test('shows a code that is typed in elsewhere, and warns of those that are sent [LOGIN-12]', (context) => {
    expect(outcomeOf('device', context)).toEqual({ screen: lines(...CODE, ...LOGGED_IN), isLoggedIn: true });
    expect(outcomeOf('device-ctrl-c', context)).toEqual({
      screen: lines(...CODE, '^C', ...GIVEN_UP),
      isLoggedIn: false,
    });
  });

  test('does not show a key that is typed, and leaves the terminal as it was [LOGIN-13]', (context) => {
    const asked = 'Paste the key and press Enter. It is not shown.';
    expect([outcomeOf('typed-key', context), outcomeOf('typed-ctrl-c', context)]).toEqual([
      {
        screen: lines(asked, 'The API key is stored. It is tried with the first request.', '[code 0, terminal same]'),
        stored: { auth_mode: 'apikey', OPENAI_API_KEY: 'sk-typed-0123456789abcdef' },
      },
      { screen: lines(asked, '', ...GIVEN_UP), isLoggedIn: false },
    ]);
    const empty = 'quire: the key is empty; pipe it in: printenv KEY | quire login --with-api-key';
    expect(outcomeOf('typed-ctrl-d', context)).toEqual({
      screen: lines(asked, empty, '[code 1, terminal same]'),
      isLoggedIn: false,
    });
  });
});
