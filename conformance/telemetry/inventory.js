/** What a program exports, as names: what dashboards and alerts are made of. Values are not looked at. */

/**
 * @typedef {import('@quire/simulator').OtlpCollector} OtlpCollector
 * @typedef {Map<string, Map<string, Set<string>>>} Inventory names, such as `metric codex.tool.call`; for each its facets,
 *   such as `unit` or `attribute tool`; for each facet what it was
 */

/** @returns {Inventory} */
export function emptyInventory() {
  return new Map();
}

/**
 * @param {Inventory} inventory
 * @param {OtlpCollector} collector
 */
export function addExports(inventory, collector) {
  for (const { signal, message } of collector.exports) {
    for (const resource of list(message, `resource${capital(signal)}`)) {
      addAttributes(inventory, `resource of ${signal}`, Object(resource['resource']));
      for (const scope of list(resource, `scope${capital(signal)}`)) {
        const own = Object(Object(scope)['scope'])['name'];
        const isJournal = signal === 'logs' && !list(scope, 'logRecords').some(hasName);
        if (!isJournal) note(inventory, `scope of ${signal}`, 'name', String(own));
        if (signal === 'metrics') for (const metric of list(scope, 'metrics')) addMetric(inventory, metric);
        if (signal === 'logs') for (const record of list(scope, 'logRecords')) addLog(inventory, record);
      }
    }
  }
}

/** @param {Inventory} inventory @param {Record<string, unknown>} metric */
function addMetric(inventory, metric) {
  const name = `metric ${metric['name']}`;
  const kind = ['sum', 'histogram', 'gauge'].find((candidate) => candidate in metric) ?? 'another kind';
  const data = Object(metric[kind]);
  note(inventory, name, 'kind', kind);
  note(inventory, name, 'unit', String(metric['unit'] ?? ''));
  note(inventory, name, 'temporality', String(data['aggregationTemporality']));
  for (const point of list(data, 'dataPoints')) {
    addAttributes(inventory, name, point);
    if (kind === 'histogram') note(inventory, name, 'bounds', JSON.stringify(point['explicitBounds']));
  }
}

/** What is no event, such as a line of the program's own journal, has no name. @param {Record<string, unknown>} record */
function hasName(record) {
  return list(record, 'attributes').some(({ key }) => key === 'event.name');
}

/** @param {Inventory} inventory @param {Record<string, unknown>} record */
function addLog(inventory, record) {
  const found = list(record, 'attributes').find(({ key }) => key === 'event.name');
  if (found === undefined) return;
  const name = `event ${Object(found['value'])['stringValue']}`;
  note(inventory, name, 'severity', String(record['severityText']));
  addAttributes(inventory, name, record);
}

/** @param {Inventory} inventory @param {string} name @param {Record<string, unknown>} owner */
function addAttributes(inventory, name, owner) {
  for (const { key, value } of list(owner, 'attributes')) {
    note(inventory, name, `attribute ${key}`, (Object.keys(Object(value))[0] ?? '').replace('Value', ''));
  }
}

/** @param {Inventory} inventory @param {string} name @param {string} facet @param {string} value */
function note(inventory, name, facet, value) {
  const facets = inventory.get(name) ?? new Map();
  inventory.set(name, facets.set(facet, (facets.get(facet) ?? new Set()).add(value)));
}

/** @param {Record<string, unknown>} owner @param {string} member @returns {Record<string, unknown>[]} */
function list(owner, member) {
  const value = owner[member];
  return Array.isArray(value) ? value : [];
}

/** `traces` is `resourceSpans` with `scopeSpans`. @param {string} signal */
function capital(signal) {
  return { traces: 'Spans', logs: 'Logs', metrics: 'Metrics' }[signal] ?? signal;
}

/**
 * What only one of them has, or what differs: a whole name, or one facet of a name that both have.
 * @param {Inventory} peer
 * @param {Inventory} quire
 * @returns {{ peer: string[], quire: string[] }} sorted
 */
export function differencesOf(peer, quire) {
  return { peer: onlyIn(peer, quire), quire: onlyIn(quire, peer) };
}

/** @param {Inventory} own @param {Inventory} other */
function onlyIn(own, other) {
  /** @type {string[]} */
  const lines = [];
  for (const [name, facets] of own) {
    const theirs = other.get(name);
    if (theirs === undefined) {
      lines.push(name);
      continue;
    }
    for (const [facet, values] of facets) {
      const known = theirs.get(facet);
      for (const value of values) {
        if (known === undefined) lines.push(`${name}, ${facet}`);
        else if (!known.has(value)) lines.push(`${name}, ${facet}: ${value}`);
      }
    }
  }
  return [...new Set(lines)].sort();
}
