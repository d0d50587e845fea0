import { homedir } from 'node:os';
import type { CommandResult } from '../end-process.ts';
import { safeLine } from '../exec/safe-text.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../say.ts';
import { parseStatusArguments, type StatusChoices } from './arguments.ts';

/** `quire status`. */
export async function statusCommand(argv: readonly string[]): Promise<CommandResult> {
  const parsed = parseStatusArguments(argv);
  switch (parsed.kind) {
    case 'help':
      return say('stdout', (await import('./help.ts')).STATUS_HELP);
    case 'usage-error':
      say('stderr', `quire: ${safeLine(parsed.message)}\nUsage: quire status [OPTIONS]; see quire status --help\n`);
      return { exitCode: EXIT.usage, settled: true };
    case 'show':
      return await show(parsed.choices).catch((error: unknown) => {
        tell(error instanceof Error ? error.message : String(error));
        return { exitCode: EXIT.failed, settled: true };
      });
  }
}

/** Rejects with AuthError or ConfigError. */
async function show({ json, offline, profile, overrides }: StatusChoices): Promise<CommandResult> {
  const [{ openPlace }, { readAccount }] = await Promise.all([
    import('../login/place.ts'),
    import('./read-account.ts'),
  ]);
  // Everything that waits has its own bound, and a signal ends the process: nothing is left to be undone.
  const { signal } = new AbortController();
  await using place = await openPlace({ overrides, profile }, { homeDirectory: homedir(), signal });
  const reading = await readAccount(place, { offline });
  const notes = await notesOf(place, reading.login);
  if (reading.problem !== undefined) tell(reading.problem);
  const said = say(
    'stdout',
    json
      ? `${(await import('./status-json.ts')).statusJson(reading, notes)}\n`
      : (await import('./status-text.ts')).statusText(reading, notes, await pageOf(place.environment)),
  );
  const isWhole = reading.login !== undefined && reading.problem === undefined;
  return isWhole ? said : { ...said, exitCode: said.exitCode || EXIT.failed };
}

async function notesOf(
  { config, environment, home, restrictions }: import('../login/place.ts').LoginPlace,
  login: import('@quire/auth').Login | undefined,
): Promise<readonly string[]> {
  const { authFileWarning, forbiddenReason } = await import('@quire/auth');
  const { provider } = config;
  const forbidden = login === undefined ? undefined : forbiddenReason(login, restrictions);
  const warning = await authFileWarning(home);
  return [
    ...(warning === undefined ? [] : [warning]),
    ...(forbidden === undefined ? [] : [`this login is not allowed here: ${forbidden}`]),
    ...(provider.requiresOpenaiAuth ? [] : [`the model provider in use, ${provider.id}, does not use this login`]),
    ...(provider.requiresOpenaiAuth && (environment['CODEX_API_KEY'] ?? '').trim() !== ''
      ? ['CODEX_API_KEY is set, and is what quire exec uses instead of this login']
      : []),
  ];
}

async function pageOf(environment: NodeJS.ProcessEnv): Promise<import('./status-text.ts').Page> {
  const { createStyle, wantsColor } = await import('../exec/style.ts');
  const isTerminal = process.stdout.isTTY === true;
  const color = wantsColor({ choice: 'auto', isTerminal, environment });
  return { style: createStyle({ color }), width: process.stdout.columns ?? DEFAULT_WIDTH };
}

const DEFAULT_WIDTH = 80;

function tell(message: string): void {
  say('stderr', `quire: ${safeLine(message)}\n`);
}
