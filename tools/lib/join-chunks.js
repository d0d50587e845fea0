/**
 * Joins files of a split bundle that are loaded together. Loading a file costs Node.js far more than its bytes do.
 */
import path from 'node:path';

/**
 * @typedef {import('esbuild').Metafile['outputs']} Outputs  by path relative to the working directory
 * @typedef {{
 *   outputs: Outputs,
 *   texts: ReadonlyMap<string, string>,
 *   start: readonly string[],
 *   groups: Readonly<Record<string, readonly string[]>>,
 * }} Split
 *   `texts` holds each file of the bundle under the names of `outputs`. Modules that are the entry or imported
 *   dynamically are named by their source: `start` has those that are loaded together, the entry first; what they need is
 *   joined, each file in the first of the `groups` that needs it
 */

/**
 * What to give to a second `build` of esbuild, which writes all files again, and files to be written as they are.
 * Imports of a file of a group become imports of the group, and what is imported dynamically goes on under its name.
 * @param {Split & { root: string, outdir: string }} split
 * @returns {{ entryPoints: Record<string, string>, plugins: import('esbuild').Plugin[], forwards: Map<string, string> }}
 */
export function joinChunks({ outputs, texts, start, groups, root, outdir }) {
  const memberships = assign(outputs, { start, groups });
  const absolute = (/** @type {string} */ file) => path.join(root, file);
  const groupFile = (/** @type {string} */ group) => path.join(outdir, 'chunks', `${group}.js`);
  const indexes = new Map(Object.keys(outputs).map((file, index) => [file, index]));
  /** @param {string} file @param {string} name */
  const nameInGroup = (file, name) => `f${indexes.get(file)}_${name}`;

  /** @param {string} file @param {string} from  where what it exports is found, under the names of the group */
  const forward = (file, from) =>
    `export { ${exportsOf(outputs, file).map((name) => `${nameInGroup(file, name)} as ${name}`)} } from '${from}';\n`;
  /** @param {string} group */
  const groupText = (group) =>
    [...memberships]
      .filter(([, of]) => of === group)
      .map(([file]) => {
        const names = exportsOf(outputs, file).map((name) => `${name} as ${nameInGroup(file, name)}`);
        return `export { ${names} } from '${absolute(file)}';\n`;
      })
      .join('');

  /** @type {import('esbuild').Plugin} */
  const plugin = {
    name: 'join-chunks',
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path: name, importer, namespace, kind }) => {
        if (kind === 'entry-point') return name in groups ? { path: name, namespace: 'group' } : { path: name };
        if (namespace === 'group') return { path: name };
        const isOurs = name.startsWith('.') && namespace !== 'forward';
        if (!isOurs) return { path: name, external: true };
        const file = path.relative(root, path.resolve(path.dirname(importer), name));
        const group = memberships.get(file);
        if (group === undefined || kind === 'dynamic-import') return { path: name, external: true };
        if (group === memberships.get(path.relative(root, importer))) return { path: absolute(file) };
        const from = path.relative(path.dirname(importer), groupFile(group));
        return { path: file, namespace: 'forward', suffix: from.startsWith('.') ? `?${from}` : `?./${from}` };
      });
      build.onLoad({ filter: /.*/, namespace: 'group' }, ({ path: group }) => ({ contents: groupText(group) }));
      build.onLoad({ filter: /.*/, namespace: 'forward' }, ({ path: file, suffix }) => ({
        contents: forward(file, suffix.slice('?'.length)),
      }));
      build.onLoad({ filter: /.*/ }, ({ path: file }) => {
        const contents = texts.get(path.relative(root, file));
        if (contents === undefined) throw new Error(`${file} is no file of the bundle`);
        return { contents };
      });
    },
  };

  /** @type {Record<string, string>} */
  const entryPoints = {};
  for (const group of new Set(memberships.values())) entryPoints[`chunks/${group}`] = group;
  for (const file of Object.keys(outputs)) {
    if (!memberships.has(file))
      entryPoints[path.relative(outdir, absolute(file)).replace(/\.js$/, '')] = absolute(file);
  }
  const forwards = new Map();
  for (const [file, group] of memberships) {
    if (outputs[file]?.entryPoint !== undefined) forwards.set(absolute(file), forward(file, `./${group}.js`));
  }
  return { entryPoints, plugins: [plugin], forwards };
}

/**
 * @param {Outputs} outputs
 * @param {Pick<Split, 'start' | 'groups'>} options
 * @returns {Map<string, string>} the group of each file that is in one; the file of the entry is in none
 */
function assign(outputs, { start, groups }) {
  const files = new Map(Object.entries(outputs).map(([file, { entryPoint }]) => [entryPoint, file]));
  /** @param {readonly string[]} sources */
  const needs = (sources) => {
    /** @type {Set<string>} */
    const reached = new Set();
    /** @param {string | undefined} file */
    const visit = (file) => {
      if (file === undefined || outputs[file] === undefined || reached.has(file)) return;
      reached.add(file);
      for (const { path: next, kind } of outputs[file].imports) if (kind === 'import-statement') visit(next);
    };
    for (const source of sources) visit(files.get(source));
    return reached;
  };
  const joined = needs(start);
  joined.delete(files.get(start[0]) ?? '');
  const memberships = new Map();
  for (const [group, sources] of Object.entries(groups)) {
    for (const file of needs(sources)) if (joined.has(file) && !memberships.has(file)) memberships.set(file, group);
  }
  return memberships;
}

/** @param {Outputs} outputs @param {string} file */
function exportsOf(outputs, file) {
  return outputs[file]?.exports ?? [];
}
