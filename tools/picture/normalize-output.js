/** Takes out of a program's output what differs from run to run, so that the same run gives the same picture. */

/** @type {readonly (readonly [RegExp, string])[]} */
const REPLACEMENTS = [
  // whether something had to be built depends on what was there
  [/^build: .*\n/gm, ''],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '01900000-0000-7000-8000-000000000000'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?/g, '2026-01-01T00:00:00Z'],
  [/\b(127\.0\.0\.1|localhost|\[::1\]):\d+/g, '$1:8080'],
  // folders made by mkdtemp, wherever the machine keeps its temporary files
  [
    /(?:\/private)?(?:\/var\/folders\/[^\s/]+\/[^\s/]+\/T|\/var\/tmp|\/tmp)\/([a-z][a-z-]*?)-[A-Za-z0-9]{6}\b/g,
    '/tmp/$1',
  ],
  [/\bindex [0-9a-f]{7,40}\.\.[0-9a-f]{7,40}/g, 'index 0000000..1111111'],
  [/(\btokens used: )[\d,]+/g, '$1…'],
  // as the test runner of Node.js reports them
  [/(\bduration_ms:? )\d+(?:\.\d+)?/g, '$1…'],
  // a duration, but not the digits of a colour sequence
  [/(?<![\w[;.])\d+(?:\.\d+)? ?(ms|s)\b/g, '… $1'],
];

/** @param {string} output */
export function normalizeOutput(output) {
  return REPLACEMENTS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), output);
}
