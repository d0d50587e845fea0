import { type OptionSpec, scanOptions, unexpectedArgument } from '../option-scan.ts';

export interface StatusChoices {
  readonly json: boolean;
  /** Nobody is asked: only what recorded turns heard. */
  readonly offline: boolean;
  readonly profile: string | undefined;
  /** Raw texts of `-c`. */
  readonly overrides: readonly string[];
}

export type StatusArguments =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string }
  | { readonly kind: 'show'; readonly choices: StatusChoices };

const SPECS: readonly OptionSpec[] = [
  { name: 'json', takesValue: false },
  { name: 'offline', takesValue: false },
  { name: 'profile', short: 'p', takesValue: true },
  { name: 'config', short: 'c', takesValue: true, repeatable: true },
  { name: 'help', short: 'h', takesValue: false },
];

export function parseStatusArguments(argv: readonly string[]): StatusArguments {
  const scan = scanOptions(argv, { specs: SPECS, command: 'quire status' });
  if (scan.kind === 'usage-error') return scan;
  const { values, positionals } = scan;
  if (values.has('help')) return { kind: 'help' };
  const [surplus] = positionals;
  if (surplus !== undefined) return { kind: 'usage-error', message: unexpectedArgument(surplus.text) };
  return {
    kind: 'show',
    choices: {
      json: values.has('json'),
      offline: values.has('offline'),
      profile: values.get('profile')?.[0],
      overrides: values.get('config') ?? [],
    },
  };
}
