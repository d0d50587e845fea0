import { ConfigError } from './config-error.ts';
import { adoptValue, type ConfigTable, createTable, isTable, valueAt } from './layers.ts';
import { removeTomlTable } from './remove-toml-table.ts';
import { parseTomlDocument } from './toml.ts';
import { withoutTomlLines } from './toml-lines.ts';

export interface ConfigChange {
  /** Names of the tables, then of the setting; at least one. */
  readonly path: readonly string[];
  /** What TOML can hold; `undefined` takes the setting or the whole table away. */
  readonly value: unknown;
}

/**
 * How new values are written, where nothing else is said as the file has it. A comma behind the last entry of an
 * inline table, or a line break in one, is TOML 1.1: programs that read TOML 1.0 would refuse the whole file.
 */
const PATCH_FORMAT = { trailingComma: false, multilineTable: false } as const;

/**
 * `text` with the changes made and everything else as it was.
 * @throws ConfigError 'not-writable' when it can not be done without changing other settings
 */
export async function changeTomlText(text: string, changes: readonly ConfigChange[], source: string): Promise<string> {
  let current = text;
  for (const change of changes) current = await changeOnce(current, change, source);
  return current;
}

async function changeOnce(text: string, change: ConfigChange, source: string): Promise<string> {
  const document = await parseTomlDocument(text, source);
  const before = valueAt(document, change.path);
  const wanted = withChange(document, change);
  if (canonical(document) === canonical(wanted)) return text;
  if (before === undefined && isTable(change.value)) {
    const appended = await appendTable(text, change);
    if (await holds(appended, wanted)) return appended;
  }
  if (isSection(before) && change.value === undefined) {
    const removed = await removeTomlTable(text, change.path);
    if ((await holds(removed, wanted)) || (await holds(removed, withoutEmptyParents(wanted, change.path))))
      return removed;
  }
  if (change.value === undefined) {
    // The library takes comments before the setting away with it.
    const removed = withoutTomlLines(text, change.path);
    if (await holds(removed, wanted)) return removed;
  }
  const patched = await patchText(text, change);
  if (patched !== undefined && (await holds(patched, wanted))) {
    const restored = withUntouchedLines(patched, text);
    return (await holds(restored, wanted)) ? restored : patched;
  }
  const key = change.path.join('.');
  throw new ConfigError('not-writable', `${source}: ${key} can not be changed without loss; change it by hand`, {
    source,
    key,
  });
}

/** What may stand below headers of its own. */
function isSection(value: unknown): boolean {
  return isTable(value) || (Array.isArray(value) && value.length > 0 && value.every(isTable));
}

/** A table of its own at the end: what is there is not touched at all. */
async function appendTable(text: string, change: ConfigChange): Promise<string> {
  const { stringify } = await import('smol-toml');
  const addition = `${stringify(withChange(createTable(), change)).trim()}\n`;
  const separator = text === '' ? '' : text.endsWith('\n') ? '\n' : '\n\n';
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  return text + (separator + addition).replaceAll('\n', lineEnd);
}

/** `undefined` where the library refuses. */
async function patchText(text: string, change: ConfigChange): Promise<string | undefined> {
  const { parse, patch } = await import('@decimalturn/toml-patch');
  try {
    const document: unknown = parse(text);
    return isTable(document) ? withLineEnd(patch(text, withChange(document, change), PATCH_FORMAT), text) : undefined;
  } catch {
    return undefined; // the caller says what can not be done
  }
}

/**
 * The library writes white space anew, also in lines around the change. Those in front of the change and behind it are
 * taken from the old text.
 */
function withUntouchedLines(patched: string, text: string): string {
  const [lines, old] = [patched.split('\n'), text.split('\n')];
  const isSame = (line: string | undefined, other: string | undefined): boolean =>
    line !== undefined && other !== undefined && withPlainSpace(line) === withPlainSpace(other);
  const shorter = Math.min(lines.length, old.length);
  let front = 0;
  while (front < shorter && isSame(lines[front], old[front])) front += 1;
  let back = 0;
  while (back < shorter - front && isSame(lines.at(-1 - back), old.at(-1 - back))) back += 1;
  return [...old.slice(0, front), ...lines.slice(front, lines.length - back), ...old.slice(old.length - back)].join(
    '\n',
  );
}

function withPlainSpace(line: string): string {
  return line.trimEnd().replace(/\s+/g, ' ');
}

/** A file keeps its last line feed, and a new one has it. */
function withLineEnd(text: string, before: string): string {
  const wants = before === '' || before.endsWith('\n');
  return wants && text !== '' && !text.endsWith('\n') ? `${text}\n` : text;
}

/** Whether `text` reads as `wanted`: what no change named must not change. */
async function holds(text: string, wanted: ConfigTable): Promise<boolean> {
  try {
    return canonical(await parseTomlDocument(text, '')) === canonical(wanted);
  } catch {
    return false; // not even TOML
  }
}

/** A copy; a value in the way of the path gives way to a table. Values that are no tables are shared. */
function withChange(document: ConfigTable, { path, value }: ConfigChange): ConfigTable {
  const copy = createTable();
  Object.assign(copy, document);
  const [name, ...rest] = path;
  if (name === undefined) return copy;
  if (rest.length > 0) {
    const inner = copy[name];
    if (value === undefined && !isTable(inner)) return copy;
    copy[name] = withChange(isTable(inner) ? inner : createTable(), { path: rest, value });
  } else if (value === undefined) delete copy[name];
  else copy[name] = adoptValue(value);
  return copy;
}

/** A table that had no header of its own goes with the last one in it. */
function withoutEmptyParents(document: ConfigTable, path: readonly string[]): ConfigTable {
  const parent = path.slice(0, -1);
  const table = valueAt(document, parent);
  if (parent.length === 0 || !isTable(table) || Object.keys(table).length > 0) return document;
  return withoutEmptyParents(withChange(document, { path: parent, value: undefined }), parent);
}

/** One text for equal values, whatever the order of their keys. An empty table is different from none. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isTable(value)) return `${typeof value}:${value instanceof Date ? value.toISOString() : String(value)}`;
  const entries = Object.keys(value).sort();
  return `{${entries.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
}
