import { parseJsonObject } from '@quire/protocol';
import { SHAPES, type Shape } from './secret-shapes.ts';

/** Shorter values are words that stand everywhere. Unit: UTF-16 code units. */
const MIN_KNOWN_LENGTH = 8;

const HINT_LENGTH = 6;
/** The rarest first; what is not among them is rarer still. */
const FREQUENT = 'WkGHxvDMFOBPNLCRITSAEwybg0123/-_:mpduhflc."\'=;,()ionarste \\';

/** Members that hold no words: names, numbers of things, and what only its maker can read. */
const UNTOUCHED: ReadonlySet<string> = new Set([
  'type',
  'role',
  'id',
  'call_id',
  'turn_id',
  'forked_from_id',
  'encrypted_content',
  'timestamp',
]);

/** Lines that say where and with what a thread runs. A thread whose place is redacted is not found again. */
const SETTINGS_LINES: ReadonlySet<unknown> = new Set(['session_meta', 'turn_context']);

const UNTOUCHED_IN_SETTINGS: ReadonlySet<string> = new Set([
  ...UNTOUCHED,
  'cwd',
  'writable_roots',
  'runtime_workspace_roots',
  'model',
  'model_provider',
  'session_id',
  'parent_thread_id',
  'root_turn_id',
  'history_base',
  'history_mode',
  'originator',
  'cli_version',
  'source',
  'thread_source',
  'current_date',
  'timezone',
  'commit_hash',
  'branch',
]);

/** All of an address that may hold a secret: what stands before the host. */
const USER_OF_ADDRESS = /^[a-z][a-z0-9+.-]*:\/\/[^/\s]*@/i;
/** Only text of this form is an image or a file, and nothing else. */
const DATA_ADDRESS = /^data:[a-z]+\/[^,;\s]+;base64,[A-Za-z0-9+/=]*$/;

/** Takes secrets out of what is about to be written down; each becomes `[redacted:KIND]`. */
export interface Redactor {
  /**
   * @param json JSON text of `value`
   * @param lineType of the line whose payload `value` is: some members of headers and settings are left alone
   * @returns JSON text without the secrets; `json` itself when there are none
   */
  redactJson(value: unknown, json: string, lineType?: string): string;
  /** The same for the text of a whole line. Text that is no JSON object comes back as it is. */
  redactJsonText(json: string): string;
  /** Text that is JSON stays JSON. */
  redactText(text: string): string;
}

/** Values that are known to be secret. A function is asked for each text, and gives the same list until one is added. */
export type KnownValues = readonly string[] | (() => readonly string[]);

/** @param secrets those of fewer than 8 characters are not looked for */
export function createRedactor(secrets: KnownValues = []): Redactor {
  if (typeof secrets !== 'function') return redactorOf(secrets);
  let known = secrets();
  let redactor = redactorOf(known);
  const current = (): Redactor => {
    const now = secrets();
    if (now !== known) redactor = redactorOf(now);
    known = now;
    return redactor;
  };
  return {
    redactText: (text) => current().redactText(text),
    redactJson: (value, json, lineType) => current().redactJson(value, json, lineType),
    redactJsonText: (json) => current().redactJsonText(json),
  };
}

function redactorOf(secrets: readonly string[]): Redactor {
  const known = [...new Set(secrets)].filter((secret) => secret.length >= MIN_KNOWN_LENGTH);
  // As they stand in a string, and in JSON text that is itself in a string, as the arguments of a call are.
  const forms = longestFirst(known.flatMap((secret) => [secret, escaped(secret)]));
  const needles = longestFirst(forms.map(escaped)).map((text) => ({ text, hint: rarestPart(text) }));
  const clean = (text: string, shapes: readonly Shape[]): string =>
    keepJson(text, (part) => withoutShapes(withoutForms(part, forms), shapes));
  const isClean = (json: string, shapes: readonly Shape[]): boolean =>
    shapes.length === 0 && !needles.some(({ text, hint }) => json.includes(hint) && json.includes(text));
  const redact = (json: string, getChange: (shapes: readonly Shape[]) => ValueChange): string => {
    const shapes = shapesIn(json);
    if (isClean(json, shapes)) return json;
    const { before, after } = getChange(shapes);
    return before === after ? json : JSON.stringify(after);
  };
  const changeOf = (value: unknown, lineType: unknown, shapes: readonly Shape[]): ValueChange => ({
    before: value,
    after: mapTexts(value, {
      change: (text) => clean(text, shapes),
      untouched: SETTINGS_LINES.has(lineType) ? UNTOUCHED_IN_SETTINGS : UNTOUCHED,
    }),
  });
  return {
    redactText: (text) => clean(text, shapesIn(text)),
    redactJson: (value, json, lineType) => redact(json, (shapes) => changeOf(value, lineType, shapes)),
    redactJsonText: (json) =>
      redact(json, (shapes) => {
        const line = parseJsonObject(json);
        return changeOf(line, line?.['type'], shapes);
      }),
  };
}

interface ValueChange {
  readonly before: unknown;
  readonly after: unknown;
}

/** A known value can begin in the middle of an escape sequence, or be a number: then its members are cleaned one by one. */
function keepJson(text: string, clean: (part: string) => string): string {
  const cleaned = clean(text);
  if (cleaned === text || !MAY_BE_JSON.test(text)) return cleaned;
  const value = parseJson(text);
  if (value === undefined || parseJson(cleaned) !== undefined) return cleaned;
  return JSON.stringify(mapJson(value, clean));
}

const MAY_BE_JSON = /^\s*["[{\d-]/;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Every text in it, names of members and numbers too. */
function mapJson(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === 'string') return keepJson(value, clean);
  if (typeof value === 'number') return clean(String(value)) === String(value) ? value : clean(String(value));
  if (Array.isArray(value)) return value.map((entry) => mapJson(entry, clean));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]: [string, unknown]) => [clean(key), mapJson(entry, clean)]),
  );
}

const NO_SHAPES: readonly Shape[] = [];

function shapesIn(text: string): readonly Shape[] {
  let found = NO_SHAPES;
  for (const shape of SHAPES) {
    if (!holdsOne(text, shape.hints)) continue;
    if (shape.alsoHints === undefined || holdsOne(text, shape.alsoHints)) found = [...found, shape];
  }
  return found;
}

function holdsOne(text: string, hints: readonly string[]): boolean {
  for (const hint of hints) if (text.includes(hint)) return true;
  return false;
}

function withoutForms(text: string, forms: readonly string[]): string {
  let clean = text;
  for (const form of forms) if (clean.includes(form)) clean = clean.replaceAll(form, '[redacted:known-value]');
  return clean;
}

function withoutShapes(text: string, shapes: readonly Shape[]): string {
  let clean = text;
  for (const { kind, pattern } of shapes) {
    clean = clean.replace(pattern, (_match, before: unknown) =>
      typeof before === 'string' ? `${before}[redacted:${kind}]` : `[redacted:${kind}]`,
    );
  }
  return clean;
}

interface TextMapping {
  readonly change: (text: string) => string;
  /** Names of the members that stay as they are. */
  readonly untouched: ReadonlySet<string>;
}

/** The same value when `change` changes none of its texts. */
function mapTexts(value: unknown, mapping: TextMapping): unknown {
  if (typeof value === 'string') {
    return value.length < MIN_KNOWN_LENGTH || isDataAddress(value) ? value : mapping.change(value);
  }
  if (typeof value !== 'object' || value === null) return value;
  let isChanged = false;
  const mapped = Object.entries(value).map(([key, entry]: [string, unknown]) => {
    const after = mapping.untouched.has(key) ? entry : mapMember(key, entry, mapping);
    isChanged ||= after !== entry;
    return [key, after] as const;
  });
  if (!isChanged) return value;
  return Array.isArray(value) ? mapped.map(([, entry]) => entry) : Object.fromEntries(mapped);
}

function mapMember(key: string, entry: unknown, mapping: TextMapping): unknown {
  if (key !== 'repository_url' || typeof entry !== 'string') return mapTexts(entry, mapping);
  return entry.replace(USER_OF_ADDRESS, (user) => mapping.change(user));
}

function isDataAddress(text: string): boolean {
  return text.startsWith('data:') && DATA_ADDRESS.test(text);
}

/** Six characters, the first of them one that text of programs has seldom: what such a search costs hangs on it. */
function rarestPart(text: string): string {
  const last = Math.max(0, text.length - HINT_LENGTH);
  let best = 0;
  for (let start = 1; start <= last; start += 1) {
    if (FREQUENT.indexOf(text[start] ?? '') < FREQUENT.indexOf(text[best] ?? '')) best = start;
  }
  return text.slice(best, best + HINT_LENGTH);
}

/** A secret that is a part of another one must not hide it. */
function longestFirst(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort((left, right) => right.length - left.length);
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
