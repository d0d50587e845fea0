/** The layer check: fails on an import that points the wrong way. Lint can be silenced in place, this can not. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript-api';
import { FLOORS, reachOf } from './floors.js';
import { importCycles } from './import-cycles.js';
import { readModules } from './read-modules.js';

/** @typedef {import('./read-modules.js').PackageModules} PackageModules */
/** @typedef {import('./read-modules.js').SourceModule} SourceModule */
/** @typedef {import('./read-modules.js').ResolvedImport} ResolvedImport */

const SOCKET_MODULES = new Set(['net', 'tls', 'http', 'https', 'http2', 'dgram', '_http_client', '_tls_wrap']);
const SOCKET_PACKAGES = new Set(['ws', 'undici', 'node-fetch', 'axios', 'got', 'ky']);
/** What the socket modules have beside sockets: tables and checks. */
const SOCKETLESS_NAMES = new Set([
  'STATUS_CODES',
  'METHODS',
  'validateHeaderName',
  'validateHeaderValue',
  'isIP',
  'isIPv4',
  'isIPv6',
  'BlockList',
]);

/**
 * @param {string} root
 * @returns {Promise<import('../lib/tool.js').CheckResult>}
 */
export async function checkLayers(root) {
  const packages = await readModules(root);
  /** @type {string[]} */
  const findings = [];
  for (const entry of packages) {
    /** @param {string} file @param {number | undefined} line @param {string} message */
    const report = (file, line, message) => {
      const place = path.relative(root, file).replaceAll(path.sep, '/');
      findings.push(`${line === undefined ? place : `${place}:${line}`}: ${message}`);
    };
    checkPackage({ entry, packages, report });
  }
  const moduleCount = packages.reduce((sum, entry) => sum + entry.modules.length, 0);
  const importCount = packages.flatMap((entry) => entry.modules).reduce((sum, item) => sum + item.imports.length, 0);
  if (moduleCount === 0) findings.push('packages/*/src: no module was seen, so nothing was checked');
  return { findings, summary: `${moduleCount} modules, ${importCount} imports` };
}

/**
 * @typedef {(file: string, line: number | undefined, message: string) => void} Report
 * @typedef {{ entry: PackageModules, packages: PackageModules[], report: Report, place: import('./floors.js').Floor }} Context
 */

/** @param {Omit<Context, 'place'>} context */
function checkPackage(context) {
  const { entry, report } = context;
  const place = FLOORS[entry.directory];
  if (place === undefined) {
    report(
      path.join(entry.path, 'package.json'),
      /* line */ undefined,
      'the package has no row in tools/layers/floors.js',
    );
    return;
  }
  if (place.pure === true) checkAmbientTypes(entry, report);
  for (const module of entry.modules) checkModule(module, { ...context, place });
  for (const cycle of importCycles(entry.modules)) {
    const names = cycle.map((file) => path.relative(entry.path, file).replaceAll(path.sep, '/'));
    report(cycle[0] ?? entry.path, /* line */ undefined, `import cycle: ${[...names, names[0]].join(' -> ')}`);
  }
}

/**
 * A pure package must have no ambient types, or `process` would compile there.
 * @param {PackageModules} entry
 * @param {Report} report
 */
function checkAmbientTypes(entry, report) {
  const file = path.join(entry.path, 'tsconfig.json');
  if (!existsSync(file)) {
    report(file, /* line */ undefined, 'the file is missing, so the types of this pure package cannot be checked');
    return;
  }
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
  const options = ts.getParsedCommandLineOfConfigFile(file, /* optionsToExtend */ {}, host)?.options;
  if (options?.types === undefined || options.types.length > 0) {
    report(file, /* line */ undefined, `a pure package needs "types": [], not ${JSON.stringify(options?.types)}`);
  }
  const platformLibraries = (options?.lib ?? []).filter((name) => /^lib\.(dom|webworker|scripthost)/.test(name));
  if (options?.lib === undefined || platformLibraries.length > 0) {
    report(file, /* line */ undefined, 'a pure package needs a "lib" of plain ECMAScript, without DOM or worker types');
  }
}

/**
 * @param {SourceModule} module
 * @param {Context} context
 */
function checkModule(module, context) {
  const { place, report } = context;
  for (const entry of module.imports) {
    const message = importFinding(module, entry, context);
    if (message !== undefined) report(module.path, entry.line, `${entry.spelling} '${entry.specifier}': ${message}`);
  }
  for (const { name, line } of module.computedImports) {
    report(module.path, line, `${name} with a computed target can not be checked; name the module in a literal`);
  }
  if (place.pure === true) {
    for (const { name, line } of module.typeReferences) {
      report(module.path, line, `reference to '${name}': a pure package takes no ambient types`);
    }
  }
  if (place.sockets !== true) {
    for (const { name, line } of module.globals) report(module.path, line, `${name}: ${SOCKET_ADVICE}`);
  }
  if (place.exits !== true) {
    for (const { name, line } of module.exits) {
      report(module.path, line, `${name}: only cli ends the process; return or throw instead`);
    }
  }
}

const SOCKET_ADVICE = 'sockets are opened in network and simulator only; take one from the dialer';

/**
 * @param {SourceModule} module
 * @param {ResolvedImport} entry
 * @param {Context} context
 * @returns {string | undefined}
 */
function importFinding(module, entry, context) {
  const { target } = entry;
  switch (target.kind) {
    case 'relative':
      return relativeFinding(target.path, context);
    case 'builtin':
      if (context.place.pure === true) return 'a pure package imports nothing of the platform; declare a port instead';
      return SOCKET_MODULES.has(target.name) && opensSockets(entry, context.place) ? SOCKET_ADVICE : undefined;
    case 'package':
      return packageFinding(target, context) ?? socketPackageFinding(target.name, entry, context.place);
    case 'unsupported':
      return 'only relative paths, node: modules and package names are understood';
    default:
      throw new Error(`unexpected import target in ${module.path}`);
  }
}

/**
 * Types open nothing, so importing them is no matter.
 * @param {ResolvedImport} entry
 * @param {import('./floors.js').Floor} place
 */
function opensSockets({ names }, place) {
  if (place.sockets === true) return false;
  if (names === undefined) return true;
  return names.some((name) => !SOCKETLESS_NAMES.has(name) && !(place.pipes === true && name === 'Socket'));
}

/**
 * @param {string} name
 * @param {ResolvedImport} entry
 * @param {import('./floors.js').Floor} place
 */
function socketPackageFinding(name, entry, place) {
  if (name === 'ws' && place.webSockets === true) return undefined;
  return SOCKET_PACKAGES.has(name) && opensSockets(entry, place) ? SOCKET_ADVICE : undefined;
}

/**
 * @param {string} target absolute
 * @param {Context} context
 */
function relativeFinding(target, { entry }) {
  const inside = path.relative(entry.path, target);
  if (inside.startsWith('..') || path.isAbsolute(inside)) {
    return 'the path leaves the package; import the other package by its name';
  }
  if (!existsSync(target)) return 'there is no such file';
  return undefined;
}

/**
 * @param {{ name: string, subpath: string }} target
 * @param {Context} context
 */
function packageFinding(target, { entry, packages, place }) {
  const { manifest } = entry;
  const other = packages.find((candidate) => candidate.manifest.name === target.name);
  if (other === entry) return 'a package does not import itself by name; use a relative path';
  const otherPlace = other && FLOORS[other.directory];
  if (otherPlace !== undefined && otherPlace.floor > reachOf(place)) {
    return `${other?.directory} is on floor ${otherPlace.floor}; ${entry.directory} may import floors up to ${reachOf(place)}`;
  }
  const declared = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
  if (declared[target.name] === undefined) return `not declared in packages/${entry.directory}/package.json`;
  if (other !== undefined && !isExported(other.manifest.exports, target.subpath)) {
    return `${target.name} does not export '${target.subpath}'`;
  }
  return undefined;
}

/**
 * @param {Record<string, unknown> | undefined} exports
 * @param {string} subpath
 */
function isExported(exports, subpath) {
  return exports !== undefined && Object.hasOwn(exports, subpath);
}
