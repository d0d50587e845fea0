import { parseJsonObject } from './decode-line.ts';

/** Shorter values are words that stand everywhere. Unit: UTF-16 code units. */
const MIN_KNOWN_LENGTH = 8;

const HINT_LENGTH = 6;
/** The rarest first; what is not among them is rarer still. */
const FREQUENT = 'WkGHxvDMFOBPNLCRITSAEwybg0123/-_:mpduhflc."\'=;,()ionarste \\';

interface Shape {
  readonly kind: string;
  /**
   * One of these stands in every match. Looking for them is what each line pays, so they begin with rare characters
   * and have at most six: the engine searches longer ones in another way, ten times as slow.
   */
  readonly hints: readonly string[];
  /** One of these stands in every match, too; looked for where one of `hints` was found. */
  readonly alsoHints?: readonly string[];
  /** What its first group holds stays in front of the mark. */
  readonly pattern: RegExp;
}

/**
 * Secrets that are known by their form. A look behind stands after the text it guards, so that the search can skip.
 * Source: the token formats that the issuers document.
 */
const SHAPES: readonly Shape[] = [
  {
    kind: 'private-key',
    hints: ['BEGIN '],
    pattern: /-----BEGIN (?:[A-Z]+ ){0,4}PRIVATE KEY-----.*?(?:-----END (?:[A-Z]+ ){0,4}PRIVATE KEY-----|$)/gs,
  },
  {
    kind: 'api-key',
    hints: ['k-'],
    alsoHints: ['sk-'],
    // A digit tells a key from a name that is written with hyphens.
    pattern: /sk-(?<![A-Za-z0-9_-]sk-)(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{20,}/g,
  },
  {
    kind: 'github-token',
    hints: ['gh'],
    alsoHints: ['ghp_', 'gho_', 'ghs_', 'ghu_', 'ghr_'],
    pattern: /gh[opsur]_(?<![A-Za-z0-9_]gh[opsur]_)[A-Za-z0-9]{30,}/g,
  },
  { kind: 'github-token', hints: ['_pat_'], pattern: /github_pat_[A-Za-z0-9_]{20,}/g },
  {
    kind: 'aws-key',
    hints: ['IA'],
    alsoHints: ['AKIA', 'ASIA'],
    pattern: /A[KS]IA(?<![A-Za-z0-9]A[KS]IA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
  },
  {
    kind: 'aws-secret',
    hints: ['_acces', 'Access', '_ACCES'],
    pattern: /(secret_?access_?key\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?)[A-Za-z0-9/+]{40}/gi,
  },
  { kind: 'slack-token', hints: ['xox'], pattern: /xox[abeoprs]-(?<![A-Za-z0-9]xox[abeoprs]-)[A-Za-z0-9-]{10,}/g },
  { kind: 'google-key', hints: ['AIza'], pattern: /AIza(?<![A-Za-z0-9_-]AIza)[A-Za-z0-9_-]{35}/g },
  {
    kind: 'jwt',
    hints: ['J'],
    alsoHints: ['.eyJ'],
    pattern: /eyJ(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  },
  {
    kind: 'bearer',
    hints: ['Bearer', 'bearer', 'BEARER'],
    // A digit tells a token from a sentence about bearers.
    pattern: /(bearer {1,4})(?=[A-Za-z._~+/-]{0,60}\d)[A-Za-z0-9._~+/-]{16,}=*/gi,
  },
  {
    kind: 'password',
    hints: ['@'],
    alsoHints: ['://'],
    pattern: /(:\/\/[^\s/:@"'\\]{0,100}:)(?!\[redacted:)[^\s/@"'\\]{1,200}(?=@)/g,
  },
];

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

/** Takes secrets out of what is about to be written down; each becomes `[redacted:KIND]`. */
export interface Redactor {
  /**
   * @param json JSON text of `value`
   * @returns JSON text without the secrets; `json` itself when there are none
   */
  redactJson(value: unknown, json: string): string;
  /** The same for JSON text whose value was not looked at yet. Text that is no JSON comes back as it is. */
  redactJsonText(json: string): string;
  redactText(text: string): string;
}

/** @param secrets known values; those of fewer than 8 characters are not looked for */
export function createRedactor(secrets: readonly string[] = []): Redactor {
  const known = [...new Set(secrets)].filter((secret) => secret.length >= MIN_KNOWN_LENGTH);
  // As they stand in a string, and in JSON text that is itself in a string, as the arguments of a call are.
  const forms = longestFirst(known.flatMap((secret) => [secret, escaped(secret)]));
  const needles = longestFirst(forms.map(escaped)).map((text) => ({ text, hint: rarestPart(text) }));
  const clean = (text: string, shapes: readonly Shape[]): string => withoutShapes(withoutForms(text, forms), shapes);
  const redact = (json: string, getValue: () => unknown): string => {
    const shapes = shapesIn(json);
    if (shapes.length === 0 && !needles.some(({ text, hint }) => json.includes(hint) && json.includes(text)))
      return json;
    const value = getValue();
    const redacted = mapTexts(value, (text) => clean(text, shapes));
    return redacted === value ? json : JSON.stringify(redacted);
  };
  return {
    redactText: (text) => clean(text, shapesIn(text)),
    redactJson: (value, json) => redact(json, () => value),
    redactJsonText: (json) => redact(json, () => parseJsonObject(json)),
  };
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

/** The same value when `change` changes none of its texts. */
function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return value.startsWith('data:') ? value : change(value);
  if (typeof value !== 'object' || value === null) return value;
  let isChanged = false;
  const mapped = Object.entries(value).map(([key, entry]: [string, unknown]) => {
    const after = UNTOUCHED.has(key) ? entry : mapTexts(entry, change);
    isChanged ||= after !== entry;
    return [key, after] as const;
  });
  if (!isChanged) return value;
  return Array.isArray(value) ? mapped.map(([, entry]) => entry) : Object.fromEntries(mapped);
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
