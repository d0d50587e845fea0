import path from 'node:path';
import { compileHookMatcher, type HookDefinition, type HookEvent } from '@quire/core';
import { ConfigError } from './config-error.ts';
import { readConfigText } from './config-file.ts';
import { type ConfigLayer, isTable, valueAt } from './layers.ts';

export interface HookConfig {
  /** In the order of the layers, lowest first. None of a project that is not trusted. */
  readonly hooks: readonly HookDefinition[];
}

const FILE_NAME = 'hooks.json';
const EVENTS: readonly HookEvent[] = ['PreToolUse', 'PostToolUse'];
/** Under `hooks`, but no event: the peer's record of what a person looked at. */
const NO_EVENTS: ReadonlySet<string> = new Set(['state']);
const DEFAULT_TIMEOUT_SECONDS = 60;
const LONGEST_TIMEOUT_SECONDS = 86_400;
/** A guard that can not answer lets nothing pass; a look at what has happened already changes nothing. */
const DEFAULT_FAIL = { PreToolUse: 'closed', PostToolUse: 'open' } as const;

/**
 * The hooks of all layers, which add up, and of the `hooks.json` files beside them. What can not be understood is an
 * error: a guard that is left out guards nothing.
 *
 * @param folders absolute, lowest first: the user's home and those of trusted projects
 * @throws ConfigError
 */
export async function readHookSettings(
  layers: readonly ConfigLayer[],
  folders: readonly string[],
  warnings: string[],
): Promise<HookConfig> {
  const places = folders.map((folder) => path.resolve(folder));
  const files = await Promise.all(places.map((folder) => readHookFile(path.join(folder, FILE_NAME))));
  const sources = [
    ...layers.map(({ source, table }) => ({ source, events: table['hooks'] })),
    ...files.flatMap((file) => (file === undefined ? [] : [file])),
  ];
  const inOrder = sources.toSorted((left, right) => rank(left.source) - rank(right.source));
  return { hooks: inOrder.flatMap(({ source, events }) => readEvents(events, source, warnings)) };

  /** Beside its layer; what is no file comes last. */
  function rank(source: string): number {
    const index = places.indexOf(path.dirname(source));
    return index === -1 ? places.length : index;
  }
}

interface HookSource {
  readonly source: string;
  readonly events: unknown;
}

async function readHookFile(file: string): Promise<HookSource | undefined> {
  const text = await readConfigText(file);
  if (text === undefined) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new ConfigError('syntax', `${file} is not valid JSON`, { source: file }); // no cause: it quotes the file
  }
  if (!isTable(content)) throw unreadable(file, 'it does not hold a JSON object');
  return { source: file, events: valueAt(content, ['hooks']) };
}

function unreadable(file: string, reason: string): ConfigError {
  return new ConfigError('unreadable-file', `${file} can not be read: ${reason}`, { source: file });
}

function readEvents(events: unknown, source: string, warnings: string[]): readonly HookDefinition[] {
  if (events === undefined) return [];
  const root = new Entry(events, { key: 'hooks', path: ['hooks'], source });
  const found: HookDefinition[] = [];
  for (const name of Object.keys(root.table())) {
    if (NO_EVENTS.has(name)) continue;
    const event = EVENTS.find((known) => known === name);
    if (event !== undefined) found.push(...readGroups(root.at(name), event, warnings));
    else warnings.push(`${source}: hooks.${name} never runs; hooks run at ${EVENTS.join(' and ')}`);
  }
  return found;
}

function readGroups(groups: Entry, event: HookEvent, warnings: string[]): readonly HookDefinition[] {
  return groups.items().flatMap((group) => {
    const matcher = group.at('matcher').text() ?? '';
    try {
      compileHookMatcher(matcher);
    } catch (cause) {
      throw group.at('matcher').invalid(`is no regular expression: ${JSON.stringify(matcher)}`, cause);
    }
    return group
      .at('hooks')
      .items()
      .flatMap((hook) => readHook(hook, { event, matcher }, warnings));
  });
}

function readHook(
  hook: Entry,
  group: Pick<HookDefinition, 'event' | 'matcher'>,
  warnings: string[],
): readonly HookDefinition[] {
  const type = hook.at('type').text() ?? 'command';
  if (type !== 'command') {
    warnings.push(`${hook.name} never runs: hooks of the type ${JSON.stringify(type)} are not supported`);
    return [];
  }
  const seconds = hook.at('timeout_sec').seconds() ?? hook.at('timeout').seconds() ?? DEFAULT_TIMEOUT_SECONDS;
  return [
    {
      ...group,
      name: hook.name,
      command: readCommand(hook.at('command')),
      timeoutMs: Math.min(seconds, LONGEST_TIMEOUT_SECONDS) * 1000,
      fail: readFail(hook.at('fail')) ?? DEFAULT_FAIL[group.event],
    },
  ];
}

function readCommand(entry: Entry): HookDefinition['command'] {
  const { value } = entry;
  if (typeof value === 'string' && value.trim() !== '') return value;
  if (Array.isArray(value) && value.every((part) => typeof part === 'string')) {
    const [program, ...rest] = value;
    if (program !== undefined && program.trim() !== '') return [program, ...rest];
  }
  throw entry.invalid('must be a command line or a list of a program and its arguments');
}

function readFail(entry: Entry): HookDefinition['fail'] | undefined {
  const word = entry.text();
  if (word === undefined || word === 'open' || word === 'closed') return word;
  throw entry.invalid('must be "open" or "closed"');
}

interface EntryPlace {
  /** For messages. */
  readonly key: string;
  readonly path: readonly string[];
  readonly source: string;
}

/** A value of a file, and its place there. */
class Entry {
  readonly value: unknown;
  readonly #place: EntryPlace;

  constructor(value: unknown, place: EntryPlace) {
    this.value = value;
    this.#place = place;
  }

  /** For messages. */
  get name(): string {
    return `${this.#place.key} of ${this.#place.source}`;
  }

  table(): Readonly<Record<string, unknown>> {
    if (isTable(this.value)) return this.value;
    throw this.wrongType('a table');
  }

  at(key: string): Entry {
    const { key: own, path: above, source } = this.#place;
    return new Entry(valueAt(this.table(), [key]), { key: `${own}.${key}`, path: [...above, key], source });
  }

  items(): readonly Entry[] {
    if (!Array.isArray(this.value)) throw this.wrongType('a list of tables');
    const { key, path: above, source } = this.#place;
    return this.value.map(
      (item: unknown, index) => new Entry(item, { key: `${key}[${index}]`, path: [...above, String(index)], source }),
    );
  }

  text(): string | undefined {
    if (this.value === undefined || this.value === null || typeof this.value === 'string')
      return this.value ?? undefined;
    throw this.wrongType('a string');
  }

  seconds(): number | undefined {
    if (this.value === undefined || this.value === null) return undefined;
    const seconds = typeof this.value === 'bigint' ? Number(this.value) : this.value;
    if (typeof seconds === 'number' && seconds > 0) return seconds;
    throw this.invalid('must be a number of seconds above 0');
  }

  wrongType(expected: string): ConfigError {
    const { key, source } = this.#place;
    return new ConfigError('wrong-type', `${source}: ${key} must be ${expected}`, this.#place);
  }

  invalid(problem: string, cause?: unknown): ConfigError {
    const { key, source } = this.#place;
    return new ConfigError('invalid-value', `${source}: ${key} ${problem}`, { ...this.#place, cause });
  }
}
