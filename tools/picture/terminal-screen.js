/**
 * A small terminal: turns what a program printed into lines of styled text. It knows colours and attributes (SGR),
 * carriage return, backspace, tab and erase-in-line; other control sequences are dropped.
 */

/**
 * A colour is an index of the 256-colour palette or a CSS colour.
 * @typedef {{ foreground?: number | string, background?: number | string, bold?: boolean, dim?: boolean,
 *   italic?: boolean, underline?: boolean, strike?: boolean, inverse?: boolean }} Style
 * @typedef {{ text: string, style: Style }} Cell
 * @typedef {{ column: number, width: number, text: string, style: Style }} Run columns count from 0
 */

const TAB_WIDTH = 8;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what is read here
const TOKEN = /\x1b\[([0-9;:?]*)([@-~])?|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]|[\x00-\x1f\x7f]|./gsu;

/**
 * @param {string} output
 * @param {{ columns: number }} options longer lines are wrapped
 * @returns {Run[][]} one list of runs per line; empty lines at the end are dropped
 */
export function renderLines(output, { columns }) {
  /** @type {Cell[][]} */
  const lines = [[]];
  /** @type {Style} */
  let style = {};
  let column = 0;
  /** @param {string} text */
  const put = (text) => {
    const width = isWide(text) ? 2 : 1;
    if (column + width > columns) {
      lines.push([]);
      column = 0;
    }
    const line = lines.at(-1) ?? [];
    while (line.length < column) line.push({ text: ' ', style: {} });
    line[column] = { text, style };
    if (width === 2) line[column + 1] = { text: '', style };
    column += width;
  };

  for (const match of output.matchAll(TOKEN)) {
    const [token, parameters = '', final] = match;
    if (final === 'm') style = applySgr(style, parameters);
    else if (final === 'K') eraseInLine(lines.at(-1) ?? [], column, parameters);
    else if (token === '\n') {
      lines.push([]);
      column = 0;
    } else if (token === '\r') column = 0;
    else if (token === '\b') column = Math.max(0, column - 1);
    else if (token === '\t') column = Math.min(columns - 1, (Math.floor(column / TAB_WIDTH) + 1) * TAB_WIDTH);
    else if (isCombining(token)) appendToLast(lines.at(-1) ?? [], column, token);
    else if (token >= ' ' && token !== '\x7f') put(token);
  }
  const runs = lines.map(runsOf);
  while (runs.length > 0 && runs.at(-1)?.length === 0) runs.pop();
  return runs;
}

/** @param {Cell[]} line @param {number} column @param {string} parameters */
function eraseInLine(line, column, parameters) {
  if (parameters === '' || parameters === '0') line.length = Math.min(line.length, column);
  else if (parameters === '2') line.length = 0;
  else for (let index = 0; index <= column && index < line.length; index += 1) line[index] = { text: ' ', style: {} };
}

/** @param {Cell[]} line @param {number} column @param {string} mark */
function appendToLast(line, column, mark) {
  const cell = line[column - 1];
  if (cell !== undefined) cell.text += mark;
}

/** @param {string} text */
function isCombining(text) {
  return /^(?:\p{M}|\u200d)$/u.test(text);
}

/** @param {string} text */
function isWide(text) {
  return /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u.test(
    text,
  );
}

/**
 * Neighbouring cells of one style, joined; blanks without a background at the end are dropped.
 * @param {Cell[]} line
 * @returns {Run[]}
 */
function runsOf(line) {
  /** @type {Run[]} */
  const runs = [];
  for (const [column, cell] of Array.from(line, (entry) => entry ?? { text: ' ', style: {} }).entries()) {
    const last = runs.at(-1);
    if (last !== undefined && JSON.stringify(last.style) === JSON.stringify(cell.style)) {
      last.text += cell.text;
      last.width += 1;
    } else runs.push({ column, width: 1, text: cell.text, style: cell.style });
  }
  const last = runs.at(-1);
  if (last !== undefined && last.style.background === undefined && last.style.inverse !== true) {
    const trimmed = last.text.trimEnd();
    last.width -= last.text.length - trimmed.length;
    last.text = trimmed;
  }
  return runs.filter(({ text, style }) => text.trim() !== '' || style.background !== undefined || style.inverse);
}

/** Attributes switched on by a code, and what a code switches off. */
const SWITCHES = /** @type {Record<number, Style>} */ ({
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
});

/**
 * @param {Style} before
 * @param {string} parameters
 * @returns {Style}
 */
function applySgr(before, parameters) {
  const codes = parameters.split(/[;:]/).map(Number);
  /** @type {Style} */
  let style = { ...before };
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 0) style = {};
    else if (SWITCHES[code] !== undefined) Object.assign(style, SWITCHES[code]);
    else if (code === 38 || code === 48) {
      const { color, length } = extendedColor(codes.slice(index + 1));
      if (color !== undefined) style[code === 38 ? 'foreground' : 'background'] = color;
      index += length;
    } else if (code === 39) delete style.foreground;
    else if (code === 49) delete style.background;
    else if (code >= 30 && code <= 37) style.foreground = code - 30;
    else if (code >= 40 && code <= 47) style.background = code - 40;
    else if (code >= 90 && code <= 97) style.foreground = code - 90 + 8;
    else if (code >= 100 && code <= 107) style.background = code - 100 + 8;
  }
  return withoutOff(style);
}

/** @param {number[]} codes what follows 38 or 48 */
function extendedColor(codes) {
  if (codes[0] === 5) return { color: codes[1], length: 2 };
  if (codes[0] !== 2) return { color: undefined, length: 0 };
  const [red = 0, green = 0, blue = 0] = codes.slice(1);
  return { color: `rgb(${red},${green},${blue})`, length: 4 };
}

/** @param {Style} style @returns {Style} */
function withoutOff(style) {
  return Object.fromEntries(Object.entries(style).filter(([, value]) => value !== false));
}
