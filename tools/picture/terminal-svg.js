/** Draws rendered terminal lines as an SVG document. */

/** @typedef {import('./terminal-screen.js').Run} Run */
/** @typedef {import('./terminal-screen.js').Style} Style */

const CELL = { width: 8.4, height: 19 };
const PADDING = 18;
const TITLE_HEIGHT = 34;
const FOREGROUND = '#d0d7de';
const BACKGROUND = '#0d1117';

const PALETTE = [
  ...['#484f58', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4'],
  ...['#6e7681', '#ffa198', '#56d364', '#e3b341', '#79c0ff', '#d2a8ff', '#56d4dd', '#f0f6fc'],
];

/**
 * @param {readonly Run[][]} lines
 * @param {{ columns: number, title: string }} options
 * @returns {string}
 */
export function drawTerminal(lines, { columns, title }) {
  const width = Math.ceil(columns * CELL.width + PADDING * 2);
  const height = Math.ceil(TITLE_HEIGHT + lines.length * CELL.height + PADDING);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title" xml:space="preserve">`,
    `<title id="title">${escapeXml(title)}</title>`,
    `<style>text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: ${FOREGROUND}; white-space: pre; }</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}" stroke="#30363d"/>`,
    ...['#ff5f57', '#febc2e', '#28c840'].map(
      (color, index) => `<circle cx="${PADDING + index * 18}" cy="18" r="5.5" fill="${color}"/>`,
    ),
    `<text x="${width / 2}" y="23" text-anchor="middle" fill-opacity="0.7">${escapeXml(title)}</text>`,
    ...lines.flatMap((runs, row) => runs.map((run) => drawRun(run, row))),
    '</svg>',
    '',
  ].join('\n');
}

/**
 * @param {Run} run
 * @param {number} row
 */
function drawRun({ column, width, text, style }, row) {
  const { foreground, background } = colorsOf(style);
  const x = round(PADDING + column * CELL.width);
  const top = round(TITLE_HEIGHT + row * CELL.height);
  const extent = round(width * CELL.width);
  const behind =
    background === undefined
      ? ''
      : `<rect x="${x}" y="${top}" width="${extent}" height="${CELL.height}" fill="${background}"/>`;
  if (text.trim() === '') return behind;
  const shown = text.trim();
  const before = text.length - text.trimStart().length;
  const after = text.length - text.trimEnd().length;
  const start = round(x + before * CELL.width);
  const length = round((width - before - after) * CELL.width);
  return `${behind}<text x="${start}" y="${round(top + 14)}" textLength="${length}"${attributesOf(style, foreground)}>${escapeXml(shown)}</text>`;
}

/** @param {Style} style */
function colorsOf(style) {
  const foreground = cssColor(style.foreground);
  const background = cssColor(style.background);
  return style.inverse === true
    ? { foreground: background ?? BACKGROUND, background: foreground ?? FOREGROUND }
    : { foreground, background };
}

/**
 * @param {Style} style
 * @param {string | undefined} foreground
 */
function attributesOf(style, foreground) {
  const decoration = [style.underline && 'underline', style.strike && 'line-through'].filter(Boolean).join(' ');
  return [
    foreground === undefined ? '' : ` style="fill:${foreground}"`,
    style.bold === true ? ' font-weight="700"' : '',
    style.dim === true ? ' fill-opacity="0.65"' : '',
    style.italic === true ? ' font-style="italic"' : '',
    decoration === '' ? '' : ` text-decoration="${decoration}"`,
  ].join('');
}

/**
 * @param {number | string | undefined} color
 * @returns {string | undefined}
 */
function cssColor(color) {
  if (typeof color !== 'number') return color;
  if (color < 16) return PALETTE[color];
  if (color >= 232) {
    const gray = 8 + (color - 232) * 10;
    return `rgb(${gray},${gray},${gray})`;
  }
  const channel = (/** @type {number} */ value) => (value === 0 ? 0 : 55 + value * 40);
  const index = color - 16;
  return `rgb(${channel(Math.floor(index / 36))},${channel(Math.floor(index / 6) % 6)},${channel(index % 6)})`;
}

/** @param {string} text */
function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}
