import { type OptionSpec, scanOptions } from '../option-scan.ts';
import { nearestName } from '../suggestion.ts';

/** How to log in. */
export type LoginMethod = 'browser' | 'device' | 'api-key' | 'access-token';

export type LoginOrder =
  | {
      readonly kind: 'login';
      readonly method: LoginMethod;
      readonly opensBrowser: boolean;
      /** Instead of that of the service. */
      readonly issuer: string | undefined;
    }
  | { readonly kind: 'status'; readonly json: boolean }
  | { readonly kind: 'logout' };

export type LoginArguments =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string }
  /** A key among the arguments: everybody on the machine can read those. */
  | { readonly kind: 'key-in-arguments' }
  | { readonly kind: 'order'; readonly order: LoginOrder; readonly choices: ConfigChoices };

/** What a login goes by. */
export interface ConfigChoices {
  /** Raw texts of `-c`. */
  readonly overrides: readonly string[];
  readonly profile: string | undefined;
}

const SPECS: readonly OptionSpec[] = [
  { name: 'with-api-key', takesValue: false },
  { name: 'device-auth', takesValue: false },
  { name: 'no-browser', takesValue: false },
  { name: 'experimental_issuer', takesValue: true },
  { name: 'api-key', takesValue: true },
  { name: 'with-access-token', takesValue: false },
  { name: 'json', takesValue: false },
  { name: 'config', short: 'c', takesValue: true, repeatable: true },
  { name: 'profile', short: 'p', takesValue: true },
  { name: 'help', short: 'h', takesValue: false },
];

/** Options that all take. */
const COMMON = ['config', 'profile'];

/** Options that go with a command beside those that all take. */
const OPTIONS: Readonly<Record<LoginOrder['kind'], readonly string[]>> = {
  login: ['with-api-key', 'with-access-token', 'device-auth', 'no-browser', 'experimental_issuer'],
  status: ['json'],
  logout: [],
};

const METHODS: Readonly<Record<string, LoginMethod>> = {
  'with-api-key': 'api-key',
  'with-access-token': 'access-token',
  'device-auth': 'device',
};

export function parseLoginArguments(command: 'login' | 'logout', argv: readonly string[]): LoginArguments {
  // A value that is missing is no reason to say that the option exists.
  if (argv.some((argument) => argument === '--api-key' || argument.startsWith('--api-key='))) {
    return { kind: 'key-in-arguments' };
  }
  const scan = scanOptions(argv, {
    specs: SPECS.filter(({ name }) => name !== 'api-key'),
    command: `quire ${command}`,
  });
  if (scan.kind === 'usage-error') return scan;
  const { values, positionals } = scan;
  const [first, surplus] = positionals;
  if (values.has('help') || first?.text === 'help') return { kind: 'help' };
  const kind = command === 'logout' ? 'logout' : first?.text === 'status' ? 'status' : 'login';
  const unexpected = kind === 'status' ? surplus : first;
  if (unexpected !== undefined) return usage(unexpectedWord(command, unexpected.text));
  const odd = [...values.keys()].find((name) => !COMMON.includes(name) && !OPTIONS[kind].includes(name));
  if (odd !== undefined) return usage(`--${odd} does not go with ${kind === 'status' ? 'login status' : kind}`);
  const methods = Object.keys(METHODS).filter((name) => values.has(name));
  if (methods.length > 1) return usage(`--${methods.join(' and --')} do not go together`);
  const choices = { overrides: values.get('config') ?? [], profile: values.get('profile')?.[0] };
  switch (kind) {
    case 'status':
      return { kind: 'order', order: { kind, json: values.has('json') }, choices };
    case 'logout':
      return { kind: 'order', order: { kind }, choices };
    case 'login': {
      const method = METHODS[methods[0] ?? ''] ?? 'browser';
      const issuer = values.get('experimental_issuer')?.[0];
      return { kind: 'order', order: { kind, method, opensBrowser: !values.has('no-browser'), issuer }, choices };
    }
  }
}

function unexpectedWord(command: 'login' | 'logout', word: string): string {
  const nearest = command === 'login' ? nearestName(word, ['status', 'help']) : undefined;
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  // It may be a key that somebody put there.
  return `unexpected argument${nearest === undefined ? '' : ` ${JSON.stringify(word)}`}${hint}`;
}

function usage(message: string): LoginArguments {
  return { kind: 'usage-error', message };
}
