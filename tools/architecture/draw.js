/** Draws the packages on their floors and the imports between them. The same imports give the same bytes. */
import { FLOORS, isBeside, reachOf } from '../layers/floors.js';

/**
 * @typedef {{ name: string, moduleCount: number, imports: readonly string[] }} PackageBox `imports` are names of packages, sorted
 * @typedef {{ name: string, moduleCount: number, x: number, y: number }} PlacedBox x and y of the upper left corner
 */

const WIDTH = 960;
const LABEL_WIDTH = 80;
const BESIDE_WIDTH = 170;
const BOX = { width: 148, height: 46 };
const ROW_HEIGHT = 112;
const MARGIN = 20;

/**
 * @param {readonly PackageBox[]} packages
 * @returns {string} an SVG document
 */
export function drawArchitecture(packages) {
  const inside = packages.filter(({ name }) => !isBeside(placeOf(name)));
  const floors = [...new Set(inside.map(({ name }) => placeOf(name).floor))].sort((left, right) => right - left);
  /** @type {Map<string, PlacedBox>} */
  const boxes = new Map();
  for (const [row, floor] of floors.entries()) {
    const onFloor = inside.filter(({ name }) => placeOf(name).floor === floor);
    const space = (WIDTH - LABEL_WIDTH - BESIDE_WIDTH) / onFloor.length;
    for (const [index, entry] of onFloor.entries()) {
      const x = LABEL_WIDTH + space * (index + 0.5) - BOX.width / 2;
      boxes.set(entry.name, { ...entry, x, y: MARGIN + row * ROW_HEIGHT });
    }
  }
  for (const entry of packages.filter(({ name }) => isBeside(placeOf(name)))) {
    const row = Math.max(0, floors.indexOf(reachOf(placeOf(entry.name)) + 1));
    boxes.set(entry.name, { ...entry, x: WIDTH - BOX.width - MARGIN / 2, y: MARGIN + row * ROW_HEIGHT });
  }
  const height = MARGIN * 2 + Math.max(0, floors.length - 1) * ROW_HEIGHT + BOX.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">`,
    '<title id="title">The packages of Quire on their floors; an arrow means that a package imports another</title>',
    STYLE,
    ARROW_HEAD,
    ...floors.map((floor, row) => drawFloor(floor, MARGIN + row * ROW_HEIGHT)),
    ...drawArrows(packages, boxes),
    ...[...boxes.values()].map((box) => drawBox(box, isBeside(placeOf(box.name)))),
    '</svg>',
    '',
  ].join('\n');
}

const STYLE = `<style>
text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.quiet { font-size: 12px; fill: #59636e; }
.box { fill: #ffffff; stroke: #59636e; stroke-width: 1.2; }
.beside { stroke-dasharray: 5 3; }
.floor { stroke: #59636e; stroke-opacity: 0.25; }
.arrow { fill: none; stroke: #0969da; stroke-width: 1.2; stroke-opacity: 0.75; }
.far { stroke: #59636e; stroke-opacity: 0.45; }
.head { fill: #59636e; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .quiet { fill: #9198a1; }
  .box { fill: #1c2128; stroke: #9198a1; }
  .floor { stroke: #9198a1; }
  .arrow { stroke: #58a6ff; }
  .far { stroke: #9198a1; }
  .head { fill: #9198a1; }
}
</style>`;

const ARROW_HEAD =
  '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>';

/** @param {string} name */
function placeOf(name) {
  const place = FLOORS[name];
  if (place === undefined) throw new Error(`packages/${name} has no row in tools/layers/floors.js`);
  return place;
}

/** @param {number} floor @param {number} y */
function drawFloor(floor, y) {
  const middle = y + BOX.height / 2;
  return `<line class="floor" x1="${LABEL_WIDTH}" y1="${middle}" x2="${WIDTH - BESIDE_WIDTH}" y2="${middle}"/><text class="quiet" x="10" y="${middle + 4}">floor ${floor}</text>`;
}

/** @param {PlacedBox} box @param {boolean} beside */
function drawBox({ name, moduleCount, x, y }, beside) {
  const center = round(x + BOX.width / 2);
  const count = `${moduleCount} module${moduleCount === 1 ? '' : 's'}${beside ? ', beside' : ''}`;
  return [
    `<rect class="box${beside ? ' beside' : ''}" x="${round(x)}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/>`,
    `<text x="${center}" y="${y + 20}" text-anchor="middle">${name}</text>`,
    `<text class="quiet" x="${center}" y="${y + 37}" text-anchor="middle">${count}</text>`,
  ].join('');
}

/**
 * Arrows leave at the bottom of a box and arrive at the top of another, side by side, in the order of the far ends.
 * @param {readonly PackageBox[]} packages
 * @param {ReadonlyMap<string, PlacedBox>} boxes
 */
function drawArrows(packages, boxes) {
  const arrows = packages.flatMap(({ name, imports }) => {
    const from = boxes.get(name);
    return imports.flatMap((target) => {
      const to = boxes.get(target);
      return from === undefined || to === undefined ? [] : [{ from, to }];
    });
  });
  return arrows.map((arrow) => {
    const leaving = arrows.filter(({ from }) => from === arrow.from).sort((left, right) => left.to.x - right.to.x);
    const arriving = arrows.filter(({ to }) => to === arrow.to).sort((left, right) => left.from.x - right.from.x);
    const x1 = round(port(arrow.from, leaving.indexOf(arrow), leaving.length));
    const x2 = round(port(arrow.to, arriving.indexOf(arrow), arriving.length));
    const y1 = arrow.from.y + BOX.height;
    const y2 = arrow.to.y;
    const bend = Math.min(60, (y2 - y1) / 2);
    const distance = y2 - y1 > ROW_HEIGHT ? ' far' : '';
    return `<path class="arrow${distance}" marker-end="url(#head)" d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}"/>`;
  });
}

/** @param {PlacedBox} box @param {number} index @param {number} count */
function port(box, index, count) {
  return box.x + (BOX.width * (index + 1)) / (count + 1);
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
