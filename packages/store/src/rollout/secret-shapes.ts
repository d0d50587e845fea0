/** A secret that is known by its form. */
export interface Shape {
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

const BASE64 = '[A-Za-z0-9+/=]';
/** What stands between the lines of a key: line ends, also as JSON in a string has them, and what listings put there. */
const LINE_BREAK = String.raw`(?:\\{1,8}[nrt]|\s)`;
const LINE_GAP = String.raw`(?:\\{1,8}[nrt]|[\s\d:|>#*,-]){1,20}`;
const KEY_HEADERS = `(?:[A-Za-z]{1,20}-[A-Za-z]{1,20}: [A-Za-z0-9,/+= -]{1,100}?${LINE_BREAK}{1,4}){0,2}`;
const KEY_NAME = '(?:[A-Z0-9]{1,10} ){0,4}PRIVATE KEY-----';

/**
 * A mention of a key is none: base64 has to follow. Without its end it goes to its last base64 character, never into
 * what is around it. Nothing here takes a part of an escape sequence, so that JSON in a string stays JSON.
 */
const PRIVATE_KEY = new RegExp(
  `-----BEGIN ${KEY_NAME}${LINE_BREAK}{0,4}${KEY_HEADERS}(?:${LINE_GAP})?${BASE64}{40,}` +
    `(?:${LINE_GAP}${BASE64}{40,})*` +
    `(?:(?:${LINE_GAP}${BASE64}{1,80}=?)?${LINE_BREAK}{0,4}(?:${LINE_GAP})?-----END ${KEY_NAME}|${LINE_BREAK}(?:${LINE_GAP})?${BASE64}{1,39}(?!${BASE64}))?`,
  'g',
);

/** What stands before a word of this beginning: no part of a word, but perhaps an escape of JSON in a string. */
function wordBeginning(beginning: string, wordCharacters: string): string {
  return String.raw`${beginning}(?:(?<![${wordCharacters}]${beginning})|(?<=\\[nrtbf]${beginning}))`;
}

const TOKEN = '[A-Za-z0-9._~+/-]';

/**
 * Secrets that are known by their form. A look behind stands after the text it guards, so that the search can skip.
 * Source: the token formats that the issuers document.
 */
export const SHAPES: readonly Shape[] = [
  { kind: 'private-key', hints: ['BEGIN '], alsoHints: ['KEY---'], pattern: PRIVATE_KEY },
  {
    kind: 'api-key',
    hints: ['k-'],
    alsoHints: ['sk-'],
    // An issuer, or characters without hyphen, and a digit tell a key from a name that is written with hyphens.
    pattern: new RegExp(
      `${wordBeginning('sk-', 'A-Za-z0-9_-')}(?=[A-Za-z_-]{0,100}\\d)` +
        '(?:(?:proj|ant|svcacct|admin|or|live|test|lf)-(?=[A-Za-z0-9_-]{0,40}?[A-Za-z0-9_]{16})|(?=[A-Za-z0-9_]{20}))' +
        '[A-Za-z0-9_-]{20,}',
      'g',
    ),
  },
  {
    kind: 'api-key',
    hints: ['k_'],
    alsoHints: ['k_live', 'k_test'],
    pattern: /[rs]k_(?<![A-Za-z0-9][rs]k_)(?:live|test)_[A-Za-z0-9]{20,}/g,
  },
  {
    kind: 'github-token',
    hints: ['gh'],
    alsoHints: ['ghp_', 'gho_', 'ghs_', 'ghu_', 'ghr_'],
    pattern: new RegExp(`${wordBeginning('gh[opsur]_', 'A-Za-z0-9_')}[A-Za-z0-9]{30,}`, 'g'),
  },
  { kind: 'github-token', hints: ['_pat_'], pattern: /github_pat_[A-Za-z0-9_]{20,}/g },
  {
    kind: 'aws-key',
    hints: ['IA'],
    alsoHints: ['AKIA', 'ASIA'],
    pattern: new RegExp(`${wordBeginning('A[KS]IA', 'A-Za-z0-9')}[A-Z0-9]{16}(?![A-Za-z0-9])`, 'g'),
  },
  {
    kind: 'aws-secret',
    hints: ['_acces', 'Access', '_ACCES'],
    pattern: /(secret_?access_?key(?:\\{0,8}["'])?\s{0,4}[:=]\s{0,4}(?:\\{0,8}["'])?)[A-Za-z0-9/+]{40}/gi,
  },
  {
    kind: 'slack-token',
    hints: ['xox'],
    pattern: new RegExp(`${wordBeginning('xox[abeoprs]-', 'A-Za-z0-9')}[A-Za-z0-9-]{10,}`, 'g'),
  },
  {
    kind: 'google-key',
    hints: ['AIza'],
    pattern: new RegExp(`${wordBeginning('AIza', 'A-Za-z0-9_-')}[A-Za-z0-9_-]{35}`, 'g'),
  },
  {
    kind: 'jwt',
    hints: ['J'],
    alsoHints: ['.eyJ'],
    pattern: new RegExp(
      String.raw`${wordBeginning('eyJ', 'A-Za-z0-9_-')}[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`,
      'g',
    ),
  },
  {
    kind: 'bearer',
    hints: ['Bearer', 'bearer', 'BEARER'],
    // Both cases and a digit, or hexadecimal digits alone, tell a token from a sentence about bearers.
    pattern: new RegExp(
      `((?:[Bb]earer|BEARER) {1,4})` +
        String.raw`(?:(?=${TOKEN}{0,100}?\d)(?=${TOKEN}{0,100}?[a-z])(?=${TOKEN}{0,100}?[A-Z])|(?=[0-9a-f]{32}))` +
        `${TOKEN}{16,}=*`,
      'g',
    ),
  },
  {
    kind: 'password',
    hints: ['@'],
    alsoHints: ['://'],
    // Neither a port nor a variable or another place to fill in.
    pattern:
      /(:\/\/[^\s/:@"'\\[\]<>?#,{}]{0,100}:)(?!\d{1,5}@|\$\w*@|\$\(|%[A-Za-z]@|%\w+%@|\*+@)[^\s/@"'\\[\]<>?#,{}`]{1,200}(?=@)/g,
  },
];
