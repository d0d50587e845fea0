import { type OptionSpec, type Positional, scanOptions, unexpectedArgument } from '../option-scan.ts';
import { nearestName } from '../suggestion.ts';

export type ConfigOrder =
  | { readonly kind: 'list' }
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'set'; readonly key: string; readonly text: string }
  | { readonly kind: 'unset'; readonly key: string }
  | { readonly kind: 'path' };

/** What goes with any of the commands. */
export interface ConfigChoices {
  readonly json: boolean;
  readonly origin: boolean;
  /** What `--profile` says. */
  readonly profile: string | undefined;
  /** What `--cd` says. */
  readonly directory: string | undefined;
  /** Raw texts of `-c`. */
  readonly overrides: readonly string[];
  readonly enable: readonly string[];
  readonly disable: readonly string[];
}

export type ConfigArguments =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string }
  | { readonly kind: 'order'; readonly order: ConfigOrder; readonly choices: ConfigChoices };

const SPECS: readonly OptionSpec[] = [
  { name: 'json', takesValue: false },
  { name: 'origin', takesValue: false },
  { name: 'profile', short: 'p', takesValue: true },
  { name: 'cd', short: 'C', takesValue: true },
  { name: 'config', short: 'c', takesValue: true, repeatable: true },
  { name: 'enable', takesValue: true, repeatable: true },
  { name: 'disable', takesValue: true, repeatable: true },
  { name: 'help', short: 'h', takesValue: false },
];

const READING = ['json', 'origin', 'profile', 'cd', 'config', 'enable', 'disable'];

/** Options and words of each command. */
const COMMANDS: Readonly<
  Record<ConfigOrder['kind'], { readonly options: readonly string[]; readonly words: readonly string[] }>
> = {
  list: { options: READING, words: [] },
  get: { options: READING, words: ['KEY'] },
  set: { options: ['profile'], words: ['KEY', 'VALUE'] },
  unset: { options: ['profile'], words: ['KEY'] },
  path: { options: ['profile'], words: [] },
};
const NAMES = Object.keys(COMMANDS) as readonly ConfigOrder['kind'][];

export function parseConfigArguments(argv: readonly string[]): ConfigArguments {
  const scan = scanOptions(argv, { specs: SPECS, command: 'quire config', takesNumbers: true });
  if (scan.kind === 'usage-error') return scan;
  const { values, positionals } = scan;
  const [first, ...rest] = positionals;
  if (values.has('help') || first?.text === 'help') return { kind: 'help' };
  if (first === undefined) return fail(`a sub-command is missing; known are ${NAMES.join(', ')}`);
  const kind = NAMES.find((name) => name === first.text);
  if (kind === undefined) return fail(unknownCommand(first.text));
  const { options, words } = COMMANDS[kind];
  const odd = [...values.keys()].find((name) => !options.includes(name));
  if (odd !== undefined) return fail(`--${odd} does not go with config ${kind}`);
  const missing = words[rest.length];
  if (missing !== undefined) return fail(`config ${kind} needs ${words.join(' and ')}; ${missing} is missing`);
  const surplus = rest[words.length];
  if (surplus !== undefined) return fail(unexpectedArgument(surplus.text));
  return {
    kind: 'order',
    order: orderOf(kind, rest),
    choices: {
      json: values.has('json'),
      origin: values.has('origin'),
      profile: values.get('profile')?.[0],
      directory: values.get('cd')?.[0],
      overrides: values.get('config') ?? [],
      enable: values.get('enable') ?? [],
      disable: values.get('disable') ?? [],
    },
  };
}

function orderOf(kind: ConfigOrder['kind'], [key, value]: readonly Positional[]): ConfigOrder {
  switch (kind) {
    case 'list':
    case 'path':
      return { kind };
    case 'set':
      return { kind, key: key?.text ?? '', text: value?.text ?? '' };
    default:
      return { kind, key: key?.text ?? '' };
  }
}

function unknownCommand(name: string): string {
  const nearest = nearestName(name, NAMES);
  const hint = nearest === undefined ? `known are ${NAMES.join(', ')}` : `did you mean ${nearest}?`;
  return `unknown sub-command ${JSON.stringify(name.slice(0, 60))}; ${hint}`;
}

function fail(message: string): ConfigArguments {
  return { kind: 'usage-error', message };
}
