import { type OptionSpec, scanOptions, unexpectedArgument } from '../option-scan.ts';
import { nearestName } from '../suggestion.ts';

export type FeaturesOrder =
  | {
      readonly kind: 'list';
      readonly json: boolean;
      /** Those without effect as well. */
      readonly all: boolean;
      readonly profile: string | undefined;
      /** Raw texts of `-c`. */
      readonly overrides: readonly string[];
      readonly enable: readonly string[];
      readonly disable: readonly string[];
    }
  | { readonly kind: 'enable' | 'disable'; readonly name: string; readonly profile: string | undefined };

export type FeaturesArguments =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string }
  | { readonly kind: 'order'; readonly order: FeaturesOrder };

const SPECS: readonly OptionSpec[] = [
  { name: 'json', takesValue: false },
  { name: 'all', short: 'a', takesValue: false },
  { name: 'profile', short: 'p', takesValue: true },
  { name: 'config', short: 'c', takesValue: true, repeatable: true },
  { name: 'enable', takesValue: true, repeatable: true },
  { name: 'disable', takesValue: true, repeatable: true },
  { name: 'help', short: 'h', takesValue: false },
];

const COMMANDS = ['list', 'enable', 'disable'] as const;

export function parseFeaturesArguments(argv: readonly string[]): FeaturesArguments {
  const scan = scanOptions(argv, { specs: SPECS, command: 'quire features' });
  if (scan.kind === 'usage-error') return scan;
  const { values, positionals } = scan;
  const [first, name, surplus] = positionals.map(({ text }) => text);
  if (values.has('help') || first === 'help') return { kind: 'help' };
  if (first === undefined) return fail(`a sub-command is missing; known are ${COMMANDS.join(', ')}`);
  const kind = COMMANDS.find((command) => command === first);
  if (kind === undefined) return fail(unknownCommand(first));
  const profile = values.get('profile')?.[0];
  if (kind === 'list') {
    if (name !== undefined) return fail(unexpectedArgument(name));
    const [json, all] = [values.has('json'), values.has('all')];
    const [enable, disable] = [values.get('enable') ?? [], values.get('disable') ?? []];
    const order = { kind, json, all, profile, overrides: values.get('config') ?? [], enable, disable };
    return { kind: 'order', order };
  }
  const odd = [...values.keys()].find((option) => option !== 'profile');
  if (odd !== undefined) return fail(`--${odd} does not go with features ${kind}`);
  if (name === undefined) return fail(`features ${kind} needs the name of a feature`);
  if (surplus !== undefined) return fail(unexpectedArgument(surplus));
  return { kind: 'order', order: { kind, name, profile } };
}

function unknownCommand(name: string): string {
  const nearest = nearestName(name, COMMANDS);
  const hint = nearest === undefined ? `known are ${COMMANDS.join(', ')}` : `did you mean ${nearest}?`;
  return `unknown sub-command ${JSON.stringify(name.slice(0, 60))}; ${hint}`;
}

function fail(message: string): FeaturesArguments {
  return { kind: 'usage-error', message };
}
