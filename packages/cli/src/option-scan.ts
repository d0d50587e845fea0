import { nearestName } from './suggestion.ts';

/** UTF-16 units. */
const SHOWN_ARGUMENT_LENGTH = 60;

export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  /** One letter, without the dash. */
  readonly short?: string;
  readonly takesValue: boolean;
  /** A value may be given more than once. Flags may always be repeated. */
  readonly repeatable?: boolean;
  /** Another spelling of the option with this name. */
  readonly aliasOf?: string;
  /** Known from compatible commands, but refused: nothing is parsed and then ignored. */
  readonly unsupported?: boolean;
}

export interface Positional {
  readonly text: string;
  /** Stood after `--`, or where options end: never the name of a sub-command. */
  readonly literal: boolean;
}

export type OptionScan =
  | {
      readonly kind: 'scanned';
      /** Values by option name, in order. A flag that was given has one empty value. */
      readonly values: ReadonlyMap<string, readonly string[]>;
      readonly positionals: readonly Positional[];
    }
  | { readonly kind: 'usage-error'; readonly message: string };

interface OptionToken {
  readonly spec: OptionSpec;
  /** As it was written, for messages. */
  readonly spelling: string;
  readonly inlineValue: string | undefined;
}

/**
 * Splits arguments into option values and positionals; options and positionals may be mixed freely.
 * Understands `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value` and `--`.
 */
export function scanOptions(
  argv: readonly string[],
  options: {
    readonly specs: readonly OptionSpec[];
    readonly command: string;
    /** What begins like a negative number is a positional, and no option. */
    readonly takesNumbers?: boolean;
    /** Asked after every positional: `true` makes everything behind it positional too. */
    readonly endsOptions?: (scanned: Omit<Extract<OptionScan, { readonly kind: 'scanned' }>, 'kind'>) => boolean;
  },
): OptionScan {
  const values = new Map<string, string[]>();
  const positionals: Positional[] = [];
  const fail = (message: string): OptionScan => ({ kind: 'usage-error', message });

  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    if (argument === '--') {
      for (const text of argv.slice(index + 1)) positionals.push({ text, literal: true });
      break;
    }
    const isNumber = options.takesNumbers === true && /^-\d/.test(argument);
    if (!argument.startsWith('-') || argument === '-' || isNumber) {
      positionals.push({ text: argument, literal: false });
      if (options.endsOptions?.({ values, positionals }) !== true) continue;
      for (const text of argv.slice(index + 1)) positionals.push({ text, literal: true });
      break;
    }
    const token = findOption(argument, options.specs);
    if (token === undefined) return fail(unknownOption(argument, options.specs));
    const { spec, spelling } = token;
    if (spec.unsupported) return fail(`${spelling} is not supported yet by ${options.command}`);
    const name = spec.aliasOf ?? spec.name;
    const given = values.get(name);

    if (!spec.takesValue) {
      if (token.inlineValue !== undefined) return fail(`${spelling} takes no value`);
      values.set(name, ['']);
      continue;
    }
    let value = token.inlineValue;
    if (value === undefined) {
      const next = argv[index + 1];
      if (next === undefined || (next.startsWith('-') && next !== '-')) {
        return fail(`${spelling} needs a value`);
      }
      value = next;
      index += 1;
    }
    if (given === undefined) values.set(name, [value]);
    else if (spec.repeatable) given.push(value);
    else return fail(`${spelling} was given twice`);
  }
  return { kind: 'scanned', values, positionals };
}

/** Cut short: it may be a whole prompt that was not quoted. */
export function unexpectedArgument(text: string): string {
  return `unexpected argument ${JSON.stringify(text.slice(0, SHOWN_ARGUMENT_LENGTH))}`;
}

function findOption(argument: string, specs: readonly OptionSpec[]): OptionToken | undefined {
  if (argument.startsWith('--')) {
    const equals = argument.indexOf('=');
    const spelling = equals === -1 ? argument : argument.slice(0, equals);
    const spec = specs.find((candidate) => `--${candidate.name}` === spelling);
    return spec && { spec, spelling, inlineValue: equals === -1 ? undefined : argument.slice(equals + 1) };
  }
  const spec = specs.find((candidate) => candidate.short === argument[1]);
  if (spec === undefined) return undefined;
  const rest = argument.slice(2);
  const inlineValue = rest.startsWith('=') ? rest.slice(1) : rest;
  return { spec, spelling: argument.slice(0, 2), inlineValue: rest === '' ? undefined : inlineValue };
}

function unknownOption(argument: string, specs: readonly OptionSpec[]): string {
  const spelling = argument.split('=', 1)[0] ?? argument;
  const known = specs.filter((spec) => !spec.unsupported).map((spec) => `--${spec.name}`);
  const nearest = nearestName(spelling, known);
  return `unknown option ${spelling}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
}
