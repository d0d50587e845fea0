/** Makes a text the same in every run and on every machine. Remembers what it numbered. */
export interface Redaction {
  /** What is volatile inside a text is replaced, then the middle of a long one is cut out. */
  text(content: string): string;
  /** A call's number by order of appearance: `call 1`. */
  call(callId: string): string;
  /** A text that is too long to show: its number by order of appearance and its beginning, once. */
  passage(content: string): string;
}

export interface RedactionOptions {
  /** Longest text shown whole, in characters. */
  readonly maxTextLength: number;
  /** What stands for these strings wherever they occur, such as a project's folder: `{ '/data/x1': '<project>' }`. */
  readonly replace: Readonly<Record<string, string>>;
}

type Numbering = (kind: string, value: string) => string;
type Rule = readonly [pattern: RegExp, replacement: (number: Numbering, match: string, ...groups: string[]) => string];

const ZONES = 'Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific';

/** In order: what an earlier rule made is not touched by a later one. */
const RULES: readonly Rule[] = [
  [
    /data:([\w/+.-]+);base64,([A-Za-z0-9+/=]*)/g,
    (_number, _match, type = '', data = '') =>
      `<${type}, ${Math.floor((data.replace(/=+$/, '').length * 3) / 4)} bytes>`,
  ],
  [
    /(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])/gi,
    (number, match) => number('uuid', match.toLowerCase()),
  ],
  [/(<timezone>)[^<]*/g, (_number, _match, tag = '') => `${tag}<zone>`],
  [new RegExp(`\\b(?:${ZONES})/[A-Z][A-Za-z_+-]*(?:/[A-Z][A-Za-z_]*)?\\b`, 'g'), () => '<zone>'],
  [/\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?/g, () => '<time>'],
  [/\b\d{4}-\d{2}-\d{2}\b/g, () => '<date>'],
  [
    /(?<![\w.-])(?:\/private)?(?:\/var\/folders\/[\w+]+\/[\w+]+\/T|\/var\/tmp|\/tmp)\/[^\s/"'`<>:;,)\]}\\]+|[A-Z]:\\(?:[^\s\\"<>]+\\)*Temp\\[^\s\\"<>]+/g,
    (number, match) => number('temporary', match),
  ],
  [/(Wall time:? *)[\d.]+ *\w+/gi, (_number, _match, words = '') => `${words}<duration>`],
  [
    /(duration(?:_ms|_seconds|Ms|Seconds)?\\?"?[:= ]+)\d+(?:\.\d+)?(?: ?m?s\b)?/g,
    (_number, _match, name = '') => `${name}<duration>`,
  ],
  [/\b(127\.0\.0\.1|localhost|\[::1\]):\d+/g, (_number, _match, host = '') => `${host}:<port>`],
  [/\b[0-9a-f]{32,}\b/gi, (number, match) => number('hash', match.toLowerCase())],
  [/(?<![\w.])v?\d+\.\d+\.\d+(?:-[a-z][\w.]*)?(?![\w]|\.\d)/g, () => '<version>'],
];

export function createRedaction(options: RedactionOptions): Redaction {
  const number = createNumbering();
  const passages = createNumbering();
  // The longer first: a folder before the one that holds it.
  const literals = Object.entries(options.replace).sort(([left], [right]) => right.length - left.length);
  const redact = (content: string): string => {
    let redacted = content;
    for (const [literal, stand] of literals) redacted = redacted.replaceAll(literal, stand);
    for (const [pattern, replacement] of RULES) {
      redacted = redacted.replace(pattern, (match: string, ...groups: string[]) =>
        replacement(number, match, ...groups),
      );
    }
    return redacted;
  };
  return {
    text: (content) => cutMiddle(redact(content), options.maxTextLength),
    call: (callId) => number('call', callId).slice(1, -1),
    passage: (content) => {
      const name = passages('text', content).slice(1, -1);
      const [firstLine = ''] = redact(content).trimStart().split('\n', 1);
      return `${name}, ${JSON.stringify(cutEnd(firstLine, options.maxTextLength))}`;
    },
  };
}

/** `<kind 1>`, `<kind 2>`: the same value has the same number. */
function createNumbering(): Numbering {
  const known = new Map<string, Map<string, number>>();
  return (kind, value) => {
    const numbers = known.get(kind) ?? new Map<string, number>();
    known.set(kind, numbers);
    const number = numbers.get(value) ?? numbers.size + 1;
    numbers.set(value, number);
    return `<${kind} ${number}>`;
  };
}

function cutMiddle(content: string, maxLength: number): string {
  if (content.length <= maxLength) return content;
  const characters = [...content];
  if (characters.length <= maxLength) return content;
  const half = Math.ceil(maxLength / 2);
  const cutCount = characters.length - 2 * half;
  if (cutCount <= 0) return content;
  return `${characters.slice(0, half).join('')}[… ${cutCount} characters …]${characters.slice(-half).join('')}`;
}

function cutEnd(content: string, maxLength: number): string {
  const characters = [...content];
  return characters.length <= maxLength ? content : `${characters.slice(0, maxLength).join('')}…`;
}
