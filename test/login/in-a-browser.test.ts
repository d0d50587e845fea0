/**
 * `quire login` with a real browser. Everything runs in a network of its own, where the fixed ports of the login are free
 * and nobody else can be reached.
 */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { playScenes, whyNoOwnNetwork } from './support/own-network.ts';

/** Of Debian's package. */
const CHROMIUM = '/usr/bin/chromium';

/** Played one after the other; the groups side by side. */
const SCENES = [
  ['success', 'hostile-name', 'hostile-refusal', 'cancel', 'wrong-state', 'takeover'],
  ['port-of-another', 'port-that-hangs', 'port-on-ipv6', 'both-ports'],
] as const;

let missing: string | undefined;
let outcomes: Readonly<Record<string, unknown>> = {};
beforeAll(async () => {
  missing = existsSync(CHROMIUM) ? await whyNoOwnNetwork() : `there is no ${CHROMIUM} on this machine`;
  if (missing === undefined) outcomes = await playScenes('login-in-browser', SCENES, [CHROMIUM]);
}, 240_000);

function outcomeOf(scene: string, { skip }: TestContext): unknown {
  if (missing !== undefined) skip(missing);
  return outcomes[scene];
}

const endsWell = (port: number, who = 'person@example.test') => ({
  address: `http://localhost:${port}/success`,
  title: 'You are logged in · Quire',
  text: `QUIRE You are logged in Quire is ready to work as ${who}. Close this window and go back to your terminal.`,
});
const INTERRUPTED = 'quire: the login was interrupted: another one was begun, or it was cancelled';
const MARKUP = '<script>document.title="taken"</script><img src=x onerror=alert(1)>';

describe('quire login in Chromium', () => {
  test('opens the browser, which ends at our page; nothing else is asked and no address holds a token [AUTH-80] [LOGIN-10]', (context) => {
    expect(outcomeOf('success', context)).toEqual({
      result: {
        title: 'Simulated sign-in',
        last: endsWell(/* port */ 1455),
        code: 0,
        stdout: '',
        // Language, one heading in the main part, nothing that is loaded.
        marks: ['en', 1, 0],
        stored: ['auth_mode', 'OPENAI_API_KEY', 'tokens', 'last_refresh'],
        wasOpened: true,
      },
      oddities: [],
    });
  });

  test('shows the markup in a name as text [AUTH-89]', (context) => {
    expect(outcomeOf('hostile-name', context)).toEqual({
      result: { last: endsWell(/* port */ 1455, `${MARKUP}@example.test`), code: 0 },
      oddities: [],
    });
  });

  test('shows the markup in a refusal as text, and stores nothing [AUTH-84] [AUTH-89]', (context) => {
    expect(outcomeOf('hostile-refusal', context)).toEqual({
      result: {
        last: {
          address: 'http://localhost:1455/auth/callback?error,error_description,state',
          title: 'The login did not work · Quire',
          text: `QUIRE The login did not work the login was refused: ${MARKUP} server_error Close this window; the terminal tells what to do.`,
        },
        code: 1,
        told: `quire: the login was refused: ${MARKUP}`,
        stored: [],
      },
      oddities: [],
    });
  });

  test('is cancelled from the browser [AUTH-82] [CHECK-20]', (context) => {
    expect(outcomeOf('cancel', context)).toEqual({
      result: {
        page: { address: 'http://localhost:1455/cancel', title: '', text: 'The login is cancelled.' },
        code: 1,
        told: INTERRUPTED,
        stored: [],
      },
      oddities: [],
    });
  });

  test("goes on behind somebody else's link [AUTH-82] [CHECK-19] [TRAP-19]", (context) => {
    expect(outcomeOf('wrong-state', context)).toMatchObject({
      result: {
        wrong: {
          address: 'http://localhost:1455/auth/callback?code,state',
          text: 'This is not the login that was begun here.',
        },
        last: endsWell(/* port */ 1455),
        code: 0,
      },
    });
  });

  test('takes over the port of a login that waits [AUTH-83] [CHECK-21]', (context) => {
    expect(outcomeOf('takeover', context)).toEqual({
      result: { first: { code: 1, told: INTERRUPTED }, last: endsWell(/* port */ 1455), second: 0 },
      oddities: [],
    });
  });

  test.for([
    ['another program serves', 'port-of-another'],
    ['another program holds without a word', 'port-that-hangs'],
    ['another program has on ::1 alone, where browsers look first', 'port-on-ipv6'],
  ] as const)('leaves a port that %s and uses the next [AUTH-83] [AUTH-88]', ([, scene], context) => {
    expect(outcomeOf(scene, context)).toEqual({
      result: { last: endsWell(/* port */ 1457), code: 0 },
      oddities: [],
    });
  });

  test('says what to do when both ports are taken [AUTH-83]', (context) => {
    expect(outcomeOf('both-ports', context)).toEqual({
      result: {
        code: 1,
        stderr:
          'quire: other programs have the ports 1455 and 1457 of this machine, where the browser comes back to; ' +
          'end what uses that, or use quire login --device-auth\n',
      },
      oddities: [],
    });
  });
});
