import { homedir } from 'node:os';
import { isatty } from 'node:tty';
import { type CommandResult, STOP_SIGNALS } from '../end-process.ts';
import { safeLine } from '../exec/safe-text.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../say.ts';
import { type ConfigChoices, type LoginOrder, parseLoginArguments } from './arguments.ts';
import { type LoginPlace, openPlace } from './place.ts';

/** `quire login`, `quire login status`. What it says goes to stderr, but for `--json` and help. */
export function loginCommand(argv: readonly string[]): Promise<CommandResult> {
  return run('login', argv);
}

/** `quire logout`. */
export function logoutCommand(argv: readonly string[]): Promise<CommandResult> {
  return run('logout', argv);
}

async function run(command: 'login' | 'logout', argv: readonly string[]): Promise<CommandResult> {
  const parsed = parseLoginArguments(command, argv);
  switch (parsed.kind) {
    case 'help': {
      const { LOGIN_HELP, LOGOUT_HELP } = await import('./help.ts');
      return say('stdout', command === 'login' ? LOGIN_HELP : LOGOUT_HELP);
    }
    case 'usage-error':
      say(
        'stderr',
        `quire: ${safeLine(parsed.message)}\nUsage: quire ${command} [OPTIONS]; see quire ${command} --help\n`,
      );
      return { exitCode: EXIT.usage, settled: true };
    case 'key-in-arguments':
      return fail(
        'a key on the command line can be read by others; pipe it in: printenv MY_KEY | quire login --with-api-key',
      );
    case 'order':
      return await obey(parsed.order, parsed.choices);
  }
}

async function obey(order: LoginOrder, choices: ConfigChoices): Promise<CommandResult> {
  const stopping = new AbortController();
  let exitCode: number = EXIT.interrupted;
  const stop = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT' && isatty(STDERR)) say('stderr', '\n'); // behind the ^C
    if (signal === 'SIGTERM') exitCode = EXIT.terminated;
    if (signal === 'SIGHUP') exitCode = EXIT.hangup;
    stopping.abort(new Error(order.kind === 'login' ? 'the login was given up' : 'it was given up'));
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  try {
    await using place = await openPlace(choices, { homeDirectory: homedir(), signal: stopping.signal });
    return await perform(order, place);
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
    return { exitCode: stopping.signal.aborted ? exitCode : EXIT.failed, settled: !stopping.signal.aborted };
  }
}

async function perform(order: LoginOrder, place: LoginPlace): Promise<CommandResult> {
  switch (order.kind) {
    case 'login':
      return await (await import('./log-in.ts')).logIn(order, place);
    case 'status':
      return await showStatus(order, place);
    case 'logout':
      return await logOut(place);
  }
}

const STDERR = 2;

async function showStatus({ json }: { readonly json: boolean }, place: LoginPlace): Promise<CommandResult> {
  const { describeLogin } = await import('./describe-login.ts');
  const { authFileWarning } = await import('@quire/auth');
  const login = await place.keeper.read({ signal: place.signal });
  const warning = await authFileWarning(place.home);
  if (warning !== undefined) say('stderr', `quire: ${safeLine(warning)}\n`);
  const { text, facts } = describeLogin(login);
  const said = json ? say('stdout', `${JSON.stringify(facts)}\n`) : say('stderr', `${safeLine(text)}\n`);
  return login === undefined ? { exitCode: EXIT.failed, settled: true } : said;
}

async function logOut({ keeper, logins, ...context }: LoginPlace): Promise<CommandResult> {
  const { removed, revocationProblem } = await logins.logOut(keeper, context);
  if (revocationProblem !== undefined) {
    say(
      'stderr',
      `quire: the login could not be revoked: ${safeLine(revocationProblem)}; it is taken away here all the same\n`,
    );
  }
  return say('stderr', removed ? 'You are logged out.\n' : 'Nobody is logged in.\n');
}

function fail(message: string): CommandResult {
  say('stderr', `quire: ${safeLine(message)}\n`);
  return { exitCode: EXIT.failed, settled: true };
}
