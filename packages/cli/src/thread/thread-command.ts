import type { ResumeTarget } from '@quire/agent';
import { type ExecOptions, type OptionValues, readExecOptions, readThreadTarget, UsageError } from '../exec/options.ts';
import type { OperationContext, ParsedCommandLine } from '../exec/run-command-line.ts';
import { type Positional, unexpectedArgument } from '../option-scan.ts';

/** A sub-command of `quire thread`. */
export interface ThreadCommand {
  /** Names of the options that it takes beside those that all take. */
  readonly options: readonly string[];
  /** Throws `UsageError`. */
  readonly read: (words: Words) => ParsedCommandLine;
}

/** The arguments of a sub-command: options, and what stands behind its name. */
export class Words {
  readonly values: OptionValues;
  readonly #command: string;
  #rest: readonly Positional[];

  constructor(command: string, values: OptionValues, positionals: readonly Positional[]) {
    this.#command = command;
    this.values = values;
    this.#rest = positionals;
  }

  /** The thread: `--last`, or the next word. */
  takeTarget(): ResumeTarget {
    const { target, rest } = readThreadTarget(this.#command, { values: this.values, positionals: this.#rest });
    this.#rest = rest;
    return target;
  }

  /** @param what such as `a name` */
  take(what: string): string {
    const [word, ...rest] = this.#rest;
    if (word === undefined) throw new UsageError(`${this.#command} needs ${what}`);
    this.#rest = rest;
    return word.text;
  }

  takeAll(): readonly string[] {
    const words = this.#rest.map(({ text }) => text);
    this.#rest = [];
    return words;
  }

  /** Throws when something is left. */
  end(): void {
    const [surplus] = this.#rest;
    if (surplus !== undefined) throw new UsageError(unexpectedArgument(surplus.text));
  }
}

/** The arguments of a task that runs in a stored thread, as `exec` would have read them. */
export function inThread(
  words: Words,
  request: Pick<Extract<ParsedCommandLine, { kind: 'run' }>['arguments'], 'thread' | 'submission'>,
): ParsedCommandLine {
  words.end();
  // The thread exists: whether it may work here was asked when it began.
  return { kind: 'run', arguments: { ...readExecOptions(words.values), ...request, skipGitRepoCheck: true } };
}

/** Something done with threads on disk; it begins when the arguments are known to be right. */
export function onDisk(
  words: Words,
  run: (context: OperationContext, options: ExecOptions) => Promise<void>,
): ParsedCommandLine {
  words.end();
  const options = readExecOptions(words.values);
  return { kind: 'operation', operation: { options, run: (context) => run(context, options) } };
}
