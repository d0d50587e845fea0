/**
 * Import cycles among the modules of one package: its strongly connected components of more than one module,
 * and modules that import themselves. Type imports count: a cycle of types is two files that are one.
 *
 * @param {readonly import('./read-modules.js').SourceModule[]} modules
 * @returns {string[][]} absolute paths; each cycle starts at its first path in alphabetical order
 */
export function importCycles(modules) {
  /** @type {Map<string, string[]>} */
  const graph = new Map();
  for (const module of modules) {
    const targets = module.imports.flatMap(({ target }) => (target.kind === 'relative' ? [target.path] : []));
    graph.set(module.path, targets);
  }
  return components(graph)
    .map((component) => cycleThrough(component, graph))
    .filter((cycle) => cycle.length > 0);
}

/**
 * Tarjan's algorithm.
 * @param {Map<string, string[]>} graph
 * @returns {string[][]}
 */
function components(graph) {
  /** @type {Map<string, number>} */
  const order = new Map();
  /** @type {Map<string, number>} */
  const lowest = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @type {string[][]} */
  const found = [];

  /** @param {string} node */
  const visit = (node) => {
    order.set(node, order.size);
    lowest.set(node, order.size - 1);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) lowest.set(node, Math.min(lowest.get(node) ?? 0, lowest.get(next) ?? 0));
    }
    if (lowest.get(node) === order.get(node)) found.push(stack.splice(stack.indexOf(node)));
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

/**
 * A shortest way from the first module of a component back to itself; empty when there is none.
 * @param {string[]} component
 * @param {Map<string, string[]>} graph
 * @returns {string[]}
 */
function cycleThrough(component, graph) {
  const start = [...component].sort()[0] ?? '';
  /** @type {string[][]} */
  const ways = [[start]];
  const seen = new Set();
  for (const way of ways) {
    for (const next of graph.get(way.at(-1) ?? '') ?? []) {
      if (next === start) return way;
      if (seen.has(next) || !component.includes(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return [];
}
