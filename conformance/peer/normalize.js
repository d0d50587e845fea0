/** Makes two event streams comparable: what differs between any two runs, or is only wording, is replaced by a name. */

/** @typedef {Record<string, unknown> & { type?: string }} JsonEvent */

/**
 * @param {string} stdout JSON lines
 * @param {{ folder: string }} place every path below it is shown without it
 * @returns {JsonEvent[]} a line that is no JSON becomes an event of type `not JSON`
 */
export function readEvents(stdout, { folder }) {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const shown = line.replaceAll(folder, '');
    try {
      return normalizeEvent(JSON.parse(shown));
    } catch (error) {
      if (error instanceof SyntaxError) return { type: 'not JSON', line: shown };
      throw error;
    }
  });
}

/** @param {JsonEvent} event @returns {JsonEvent} */
function normalizeEvent(event) {
  const { item } = event;
  if (event.type === 'thread.started') return { ...event, thread_id: '<thread>' };
  if (isRecord(item) && item['type'] === 'error') return { ...event, item: { ...item, message: '<wording>' } };
  if (event.type === 'error') return { ...event, message: wordingOf(String(event['message'])) };
  if (event.type === 'turn.failed') return { ...event, error: { message: '<wording>' } };
  return event;
}

/** Clients may count retries, so that part stays. @param {string} message */
function wordingOf(message) {
  return message
    .replace(/^(Reconnecting\.\.\. \d+\/\d+).*$/s, '$1 (<wording>)')
    .replace(/^(?!Reconnecting).*$/s, '<wording>');
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isRecord(value) {
  return typeof value === 'object' && value !== null;
}

/**
 * A line per event: ` ` in both, `-` only in the first, `+` only in the second. Longest common subsequence; streams here
 * are short.
 * @param {readonly JsonEvent[]} left
 * @param {readonly JsonEvent[]} right
 * @returns {string[]}
 */
export function diffEvents(left, right) {
  const before = left.map((event) => JSON.stringify(event));
  const after = right.map((event) => JSON.stringify(event));
  /** @type {number[][]} lengths of the common subsequence of the rests */
  const lengths = Array.from({ length: before.length + 1 }, () => new Array(after.length + 1).fill(0));
  const lengthAt = (/** @type {number} */ row, /** @type {number} */ column) => lengths[row]?.[column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      const same = before[row] === after[column];
      const longest = same
        ? lengthAt(row + 1, column + 1) + 1
        : Math.max(lengthAt(row + 1, column), lengthAt(row, column + 1));
      (lengths[row] ?? [])[column] = longest;
    }
  }
  /** @type {string[]} */
  const lines = [];
  let row = 0;
  let column = 0;
  while (row < before.length || column < after.length) {
    if (row < before.length && column < after.length && before[row] === after[column]) {
      lines.push(`  ${before[row]}`);
      row += 1;
      column += 1;
    } else if (
      column >= after.length ||
      (row < before.length && lengthAt(row + 1, column) >= lengthAt(row, column + 1))
    ) {
      lines.push(`- ${before[row]}`);
      row += 1;
    } else {
      lines.push(`+ ${after[column]}`);
      column += 1;
    }
  }
  return lines;
}
