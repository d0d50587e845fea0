import { type OptionSpec, scanOptions, unexpectedArgument } from '../option-scan.ts';

export interface SimulateArguments {
  /** 0 takes a free one. */
  readonly port: number;
  readonly scriptPath: string | undefined;
  readonly modelsPath: string | undefined;
  /** Serves clients of the API that are no agents: they name no thread and want every event. */
  readonly anyClient: boolean;
  /** Is an authorization server too, with pages for a browser. */
  readonly login: boolean;
  /** Also takes telemetry and prints what it gets. */
  readonly collector: boolean;
}

export type ParsedSimulateArguments =
  | { readonly kind: 'run'; readonly arguments: SimulateArguments }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string };

const SIMULATE_OPTIONS: readonly OptionSpec[] = [
  { name: 'port', takesValue: true },
  { name: 'script', takesValue: true },
  { name: 'models', takesValue: true },
  { name: 'any-client', takesValue: false },
  { name: 'login', takesValue: false },
  { name: 'collector', takesValue: false },
  { name: 'help', short: 'h', takesValue: false },
];

export function parseSimulateArguments(argv: readonly string[]): ParsedSimulateArguments {
  const scan = scanOptions(argv, { specs: SIMULATE_OPTIONS, command: 'quire simulate' });
  if (scan.kind === 'usage-error') return scan;
  if (scan.values.has('help')) return { kind: 'help' };
  const [surplus] = scan.positionals;
  if (surplus !== undefined) return usageError(unexpectedArgument(surplus.text));
  const portText = scan.values.get('port')?.[0] ?? '0';
  const port = Number(portText);
  if (!/^\d+$/.test(portText) || port > 65_535) {
    return usageError(`--port needs a number from 0 to 65535, not ${JSON.stringify(portText)}`);
  }
  return {
    kind: 'run',
    arguments: {
      port,
      scriptPath: scan.values.get('script')?.[0],
      modelsPath: scan.values.get('models')?.[0],
      anyClient: scan.values.has('any-client'),
      login: scan.values.has('login'),
      collector: scan.values.has('collector'),
    },
  };
}

function usageError(message: string): ParsedSimulateArguments {
  return { kind: 'usage-error', message };
}
