import { type OptionSpec, scanOptions, unexpectedArgument } from '../option-scan.ts';

export interface DoctorChoices {
  readonly json: boolean;
  /** Nothing is connected to. */
  readonly offline: boolean;
  /** Where a bundle for a report of a fault is written. */
  readonly bundle: string | undefined;
  readonly profile: string | undefined;
  /** What `--cd` says. */
  readonly directory: string | undefined;
  /** Raw texts of `-c`. */
  readonly overrides: readonly string[];
}

export type DoctorArguments =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string }
  | { readonly kind: 'examine'; readonly choices: DoctorChoices };

const SPECS: readonly OptionSpec[] = [
  { name: 'json', takesValue: false },
  { name: 'offline', takesValue: false },
  { name: 'bundle', takesValue: true },
  { name: 'profile', short: 'p', takesValue: true },
  { name: 'cd', short: 'C', takesValue: true },
  { name: 'config', short: 'c', takesValue: true, repeatable: true },
  { name: 'help', short: 'h', takesValue: false },
];

export function parseDoctorArguments(argv: readonly string[]): DoctorArguments {
  const scan = scanOptions(argv, { specs: SPECS, command: 'quire doctor' });
  if (scan.kind === 'usage-error') return scan;
  const { values, positionals } = scan;
  if (values.has('help')) return { kind: 'help' };
  const [surplus] = positionals;
  if (surplus !== undefined) return { kind: 'usage-error', message: unexpectedArgument(surplus.text) };
  const bundle = values.get('bundle')?.[0];
  if (bundle === '' || bundle === '-') return { kind: 'usage-error', message: '--bundle needs the name of a file' };
  return {
    kind: 'examine',
    choices: {
      json: values.has('json'),
      offline: values.has('offline'),
      bundle,
      profile: values.get('profile')?.[0],
      directory: values.get('cd')?.[0],
      overrides: values.get('config') ?? [],
    },
  };
}
