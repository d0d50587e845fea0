import { type OptionSpec, type Positional, scanOptions, unexpectedArgument } from '../option-scan.ts';
import { nearestName } from '../suggestion.ts';

export type McpOrder =
  | { readonly kind: 'list'; readonly json: boolean }
  | { readonly kind: 'get'; readonly name: string; readonly json: boolean }
  | { readonly kind: 'add'; readonly name: string; readonly server: NewServer }
  | { readonly kind: 'remove'; readonly name: string }
  | {
      readonly kind: 'login';
      readonly name: string;
      readonly scopes: readonly string[] | undefined;
      readonly opensBrowser: boolean;
    }
  | { readonly kind: 'logout'; readonly name: string };

/** Keys and values as `config.toml` has them. */
export type NewServer = Readonly<Record<string, string | readonly string[] | Readonly<Record<string, string>>>>;

export type McpArguments =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string }
  | { readonly kind: 'order'; readonly order: McpOrder; readonly overrides: readonly string[] };

const SPECS: readonly OptionSpec[] = [
  { name: 'json', takesValue: false },
  { name: 'env', takesValue: true, repeatable: true },
  { name: 'url', takesValue: true },
  { name: 'bearer-token-env-var', takesValue: true },
  { name: 'scopes', takesValue: true },
  { name: 'no-browser', takesValue: false },
  { name: 'config', short: 'c', takesValue: true, repeatable: true },
  { name: 'help', short: 'h', takesValue: false },
];

/** Options of each command beside those that all take. */
const OPTIONS: Readonly<Record<McpOrder['kind'], readonly string[]>> = {
  list: ['json'],
  get: ['json'],
  add: ['env', 'url', 'bearer-token-env-var'],
  remove: [],
  login: ['scopes', 'no-browser'],
  logout: [],
};
const COMMANDS = Object.keys(OPTIONS) as readonly McpOrder['kind'][];

/** Source: what the peer 0.169 takes. */
const SERVER_NAME = /^[A-Za-z0-9_:@/.-]+$/;

class UsageError extends Error {}

interface Words {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly Positional[];
}

export function parseMcpArguments(argv: readonly string[]): McpArguments {
  const scan = scanOptions(argv, {
    specs: SPECS,
    command: 'quire mcp',
    // From its third word on, what is added is the program's own.
    endsOptions: ({ positionals }) => positionals[0]?.text === 'add' && positionals.length === 3,
  });
  if (scan.kind === 'usage-error') return scan;
  const { values, positionals } = scan;
  const [first, ...rest] = positionals;
  if (values.has('help') || first?.text === 'help') return { kind: 'help' };
  try {
    const command = readCommand(first);
    const odd = [...values.keys()].find((name) => name !== 'config' && !OPTIONS[command].includes(name));
    if (odd !== undefined) throw new UsageError(`--${odd} does not go with mcp ${command}`);
    return { kind: 'order', order: readOrder(command, { values, rest }), overrides: values.get('config') ?? [] };
  } catch (error) {
    if (error instanceof UsageError) return { kind: 'usage-error', message: error.message };
    throw error;
  }
}

function readCommand(first: Positional | undefined): McpOrder['kind'] {
  if (first === undefined) throw new UsageError(`a sub-command is missing; known are ${COMMANDS.join(', ')}`);
  const command = COMMANDS.find((name) => name === first.text);
  if (command !== undefined) return command;
  const nearest = nearestName(first.text, COMMANDS);
  const hint = nearest === undefined ? `known are ${COMMANDS.join(', ')}` : `did you mean ${nearest}?`;
  throw new UsageError(`unknown sub-command ${JSON.stringify(first.text.slice(0, 60))}; ${hint}`);
}

function readOrder(kind: McpOrder['kind'], { values, rest }: Words): McpOrder {
  if (kind === 'list') {
    end(rest);
    return { kind, json: values.has('json') };
  }
  const [name, ...more] = rest;
  if (name === undefined) throw new UsageError(`mcp ${kind} needs the name of a server`);
  if (kind === 'add') return { kind, name: checkName(name.text), server: readServer({ values, rest: more }) };
  end(more);
  switch (kind) {
    case 'get':
      return { kind, name: name.text, json: values.has('json') };
    case 'login':
      return {
        kind,
        name: name.text,
        scopes: values
          .get('scopes')?.[0]
          ?.split(',')
          .map((scope) => scope.trim())
          .filter((scope) => scope !== ''),
        opensBrowser: !values.has('no-browser'),
      };
    default:
      return { kind, name: name.text };
  }
}

function readServer({ values, rest }: Words): NewServer {
  const url = values.get('url')?.[0];
  const [command, ...args] = rest.map(({ text }) => text);
  const token = values.get('bearer-token-env-var')?.[0];
  if (url === undefined) {
    if (command === undefined) throw new UsageError('mcp add needs either --url URL or -- PROGRAM [ARG]...');
    if (token !== undefined) throw new UsageError('--bearer-token-env-var goes with --url');
    const env = readVariables(values.get('env') ?? []);
    return { command, args, ...(Object.keys(env).length === 0 ? {} : { env }) };
  }
  if (command !== undefined) throw new UsageError('mcp add takes either --url or a program, not both');
  if (values.has('env')) throw new UsageError('--env goes with a program, not with --url');
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new UsageError('--url must be an address that begins with http:// or https://');
  }
  return { url, ...(token === undefined ? {} : { bearer_token_env_var: token }) };
}

function readVariables(entries: readonly string[]): Readonly<Record<string, string>> {
  const variables = entries.map((entry) => {
    const equals = entry.indexOf('=');
    if (equals < 1) throw new UsageError('--env takes KEY=VALUE');
    return [entry.slice(0, equals), entry.slice(equals + 1)] as const;
  });
  return Object.fromEntries(variables.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function checkName(name: string): string {
  if (SERVER_NAME.test(name)) return name;
  throw new UsageError(
    `${JSON.stringify(name.slice(0, 60))} is no name for a server: use letters, digits and _ - . : @ /`,
  );
}

function end(rest: readonly Positional[]): void {
  const [surplus] = rest;
  if (surplus !== undefined) throw new UsageError(unexpectedArgument(surplus.text));
}
