import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { LoadConfigOptions } from '@quire/store';
import type { CommandResult } from '../end-process.ts';
import { safeLine } from '../exec/safe-text.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../say.ts';
import { workingDirectory } from '../working-directory.ts';
import { type ConfigChoices, type ConfigOrder, parseConfigArguments } from './arguments.ts';
import { jsonText, originText, settingLine, valueText } from './setting-format.ts';

/** `quire config`. */
export async function configCommand(argv: readonly string[]): Promise<CommandResult> {
  const parsed = parseConfigArguments(argv);
  if (parsed.kind === 'help') return say('stdout', (await import('./help.ts')).CONFIG_HELP);
  if (parsed.kind === 'usage-error') {
    tell(parsed.message);
    say('stderr', 'Usage: quire config COMMAND; see quire config --help\n');
    return { exitCode: EXIT.usage, settled: true };
  }
  try {
    return await obey(parsed.order, parsed.choices);
  } catch (error) {
    return failed(error);
  }
}

async function obey(order: ConfigOrder, choices: ConfigChoices): Promise<CommandResult> {
  switch (order.kind) {
    case 'list':
      return listSettings(choices);
    case 'get':
      return getSetting(order.key, choices);
    case 'set':
      return changeSetting({ key: order.key, text: order.text }, choices);
    case 'unset':
      return changeSetting({ key: order.key, text: undefined }, choices);
    case 'path':
      return showPath(choices);
  }
}

/** What can not be used is shown with its place, and told as well: that is what somebody looks for here. */
async function listSettings(choices: ConfigChoices): Promise<CommandResult> {
  const options = await placeOf(choices);
  const { loadConfig, loadConfigTools } = await import('@quire/store');
  const explanation = await (await loadConfigTools()).explainConfig(options);
  const said = say(
    'stdout',
    choices.json
      ? `${jsonText(explanation)}\n`
      : explanation.settings.map((setting) => `${settingLine(setting, choices)}\n`).join(''),
  );
  if (explanation.settings.length === 0 && !choices.json)
    tell('nothing is set; quire config set KEY VALUE sets something');
  for (const { path, reason } of explanation.disabledFolders) tell(`${path} is not read: ${reason}`);
  for (const sentence of explanation.misspelled) tell(sentence);
  const { warnings } = await loadConfig(options);
  // What is nearly a setting was told already, with its place.
  for (const warning of warnings) if (!warning.startsWith('-c ')) tell(warning);
  return said;
}

async function getSetting(key: string, choices: ConfigChoices): Promise<CommandResult> {
  const options = await placeOf(choices);
  const { explainConfig, isKnownKey, nearestKey, parseKeyPath } = await (
    await import('@quire/store')
  ).loadConfigTools();
  const [path, { settings, misspelled }] = await Promise.all([parseKeyPath(key), explainConfig(options)]);
  const inside = settings.filter((setting) => path.every((name, depth) => setting.path[depth] === name));
  const [first] = inside;
  if (first === undefined) {
    for (const sentence of misspelled) tell(sentence);
    if (isKnownKey(path)) tell(`${key} is not set; docs/configuration.md has its default`);
    else {
      const nearest = nearestKey(path);
      tell(`nothing here reads ${key}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`);
    }
    return { exitCode: EXIT.failed, settled: true };
  }
  if (choices.json) {
    const whole = inside.length === 1 && first.path.length === path.length;
    const shown = inside.map(({ key: name, value, origin, overridden }) =>
      choices.origin ? { key: name, value, origin, overridden } : { key: name, value },
    );
    return say('stdout', `${jsonText(whole ? shown[0] : shown)}\n`);
  }
  if (first.path.length > path.length) {
    return say('stdout', inside.map((setting) => `${settingLine(setting, choices)}\n`).join(''));
  }
  const origins = choices.origin
    ? [`from ${originText(first.origin)}`, ...first.overridden.map((origin) => `over ${originText(origin)}`)]
    : [];
  return say('stdout', [valueText(first.value), ...origins].map((line) => `${safeLine(line)}\n`).join(''));
}

async function changeSetting(
  change: { readonly key: string; readonly text: string | undefined },
  choices: ConfigChoices,
): Promise<CommandResult> {
  const { profile, ...options } = await placeOf(choices);
  const tools = await (await import('@quire/store')).loadConfigTools();
  const { file, key, changed, overriddenBy, notices } = await tools.changeSetting(change, {
    ...options,
    intoProfile: profile,
  });
  for (const notice of notices) tell(notice);
  if (change.text !== undefined && overriddenBy !== undefined) {
    tell(`${key} is also set in ${overriddenBy}, which goes before ${file}`);
  }
  return say(
    'stdout',
    `${outcome({ isSet: change.text !== undefined, changed, key: safeLine(key), file: safeLine(file) })}\n`,
  );
}

function outcome(end: {
  readonly isSet: boolean;
  readonly changed: boolean;
  readonly key: string;
  readonly file: string;
}) {
  if (end.isSet) return `${end.key} is ${end.changed ? 'set' : 'already so'} in ${end.file}.`;
  return end.changed ? `${end.key} is taken out of ${end.file}.` : `${end.key} is not set in ${end.file}.`;
}

async function showPath(choices: ConfigChoices): Promise<CommandResult> {
  const { profile } = choices;
  const home = await homeFolder();
  if (profile === undefined) return say('stdout', `${resolve(home, 'config.toml')}\n`);
  const { profileFile } = await (await import('@quire/store')).loadConfigTools();
  return say('stdout', `${profileFile(home, profile)}\n`);
}

async function homeFolder(): Promise<string> {
  const { resolveHome } = await import('@quire/store');
  return resolveHome({ environment: process.env, homeDirectory: homedir() });
}

async function placeOf(choices: ConfigChoices): Promise<LoadConfigOptions> {
  const { featureOverrides } = await import('@quire/store');
  return {
    home: await homeFolder(),
    cwd: workingDirectory(choices.directory),
    overrides: [...choices.overrides, ...featureOverrides(choices)],
    environment: process.env,
    profile: choices.profile,
  };
}

function tell(message: string): void {
  say('stderr', `quire: ${safeLine(message)}\n`);
}

function failed(error: unknown): CommandResult {
  tell(error instanceof Error ? error.message : String(error));
  return { exitCode: EXIT.failed, settled: true };
}
