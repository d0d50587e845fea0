/**
 * The floors of the house: the one table that the layer check, the picture and the text share.
 *
 * A package imports from floors below its own and is imported from floors above it. A package that stands
 * `beside` the house is imported only from above its floor too, but reaches no higher than `reach`.
 */

/**
 * @typedef {object} Floor
 * @property {number} floor where importers see the package
 * @property {number} [reach] highest floor it may import; default: the one below its own
 * @property {boolean} [pure] no platform: no built-in module, no ambient types
 * @property {boolean} [sockets] may open sockets
 * @property {boolean} [webSockets] may speak WebSocket with `ws`, over sockets that the dialer of network opened
 * @property {boolean} [pipes] may take `Socket` from node:net, to read the pipes of its processes
 * @property {boolean} [exits] may end the process
 */

/** @type {Readonly<Record<string, Floor>>} */
export const FLOORS = {
  streams: { floor: 0, pure: true },
  protocol: { floor: 0, pure: true },
  core: { floor: 1, pure: true },
  jsonrpc: { floor: 1, pure: true },
  files: { floor: 2 },
  network: { floor: 2, sockets: true },
  'model-client': { floor: 3, webSockets: true },
  auth: { floor: 3 },
  host: { floor: 3, pipes: true },
  store: { floor: 3 },
  telemetry: { floor: 3 },
  agent: { floor: 4 },
  'app-server': { floor: 5 },
  tui: { floor: 5 },
  simulator: { floor: 5, reach: 1, sockets: true },
  cli: { floor: 6, exits: true },
};

/** @param {Floor} place */
export function reachOf(place) {
  return place.reach ?? place.floor - 1;
}

/** @param {Floor} place */
export function isBeside(place) {
  return place.reach !== undefined;
}
