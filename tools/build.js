/**
 * Builds the command: packages/cli/dist, split so that a start loads only what it uses.
 *
 *   node tools/build.js               bundles
 *   node tools/build.js --if-needed   bundles unless the bundle is newer than every source
 *   node tools/build.js --all         bundles, and compiles every package as a library (JavaScript and types)
 *   node tools/build.js --types       the same as --all
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { joinChunks } from './lib/join-chunks.js';
import { runCommand } from './lib/run-command.js';
import { isMain, parseToolArguments } from './lib/tool.js';

const ENTRY = 'packages/cli/src/main.ts';
const OUTPUT = 'packages/cli/dist';
const MARK = '// bundled by tools/build.js';

/** What every run of a prompt loads before its first request. */
const START = [
  ENTRY,
  'packages/cli/src/exec/command.ts',
  'packages/cli/src/exec/json-output.ts',
  'packages/agent/src/index.ts',
  'node_modules/smol-toml/dist/index.js',
];

/** It is joined in four files and not in one, because other commands, and programs beside a run, need less. */
const START_GROUPS = {
  'start-main': [ENTRY],
  'start-command': ['packages/cli/src/exec/command.ts', 'packages/auth/src/refresh/refresh-program.ts'],
  'start-home': ['packages/store/src/index.ts'],
  'start-agent': START,
};

/** Have parts that are no JavaScript, are optional, and are loaded where they are installed. */
const NATIVE_PACKAGES = [
  'sharp',
  '@silvia-odwyer/photon-node',
  '@lydell/node-pty',
  '@lydell/node-pty-*',
  '@napi-rs/keyring',
];

/** What esbuild writes where a CommonJS dependency requires a module of the platform. */
const REQUIRE_SHIM = 'Dynamic require of';
const REAL_REQUIRE =
  "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url); ";

/**
 * @param {string} root
 * @returns {Promise<{ fileCount: number, bytes: number }>}
 */
async function bundle(root) {
  const { build } = await import('esbuild');
  const outdir = path.join(root, OUTPUT);
  /** @satisfies {import('esbuild').BuildOptions} */
  const common = {
    absWorkingDir: root,
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: NATIVE_PACKAGES,
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  };
  const split = await build({
    ...common,
    entryPoints: { main: ENTRY },
    splitting: true,
    conditions: ['quire-source'],
    chunkNames: 'chunks/[name]-[hash]',
    sourcemap: 'inline',
    metafile: true,
  });
  const texts = new Map(split.outputFiles.map(({ path: file, text }) => [path.relative(root, file), text]));
  const { outputs } = split.metafile;
  const { forwards, ...joined } = joinChunks({ outputs, texts, start: START, groups: START_GROUPS, root, outdir });
  const { outputFiles } = await build({ ...common, ...joined, sourcemap: 'linked', banner: { js: MARK } });
  await removeOldBundle(outdir);
  await mkdir(path.join(outdir, 'chunks'), { recursive: true });
  await Promise.all(
    outputFiles.map((file) => {
      const needsRequire = file.path.endsWith('.js') && file.text.includes(REQUIRE_SHIM);
      return writeFile(file.path, needsRequire ? REAL_REQUIRE + file.text : file.contents);
    }),
  );
  await Promise.all([...forwards].map(([file, text]) => writeFile(file, text)));
  const scripts = outputFiles.filter((file) => file.path.endsWith('.js'));
  return {
    fileCount: scripts.length + forwards.size,
    bytes: scripts.reduce((sum, file) => sum + file.contents.length, 0),
  };
}

/** Leaves the declarations of `tsc -b` alone. @param {string} outdir */
async function removeOldBundle(outdir) {
  await rm(path.join(outdir, 'chunks'), { recursive: true, force: true });
  const names = existsSync(outdir) ? await readdir(outdir) : [];
  const stale = names.filter((name) => /\.js(\.map)?$/.test(name));
  await Promise.all(stale.map((name) => rm(path.join(outdir, name), { force: true })));
}

/**
 * True when the bundle was made by this script and no source, manifest or folder changed since.
 * @param {string} root
 */
export async function isBundleCurrent(root) {
  const main = path.join(root, OUTPUT, 'main.js');
  if (!existsSync(main) || !(await readFile(main, 'utf8')).includes(MARK)) return false;
  const builtAtMs = (await stat(main)).mtimeMs;
  const packages = await readdir(path.join(root, 'packages'));
  const places = ['package-lock.json', 'tools/build.js', 'tools/lib/join-chunks.js'];
  for (const name of packages) places.push(`packages/${name}/package.json`, `packages/${name}/src`);
  const newest = await Promise.all(places.map((place) => newestChangeMs(path.join(root, place))));
  return Math.max(...newest) <= builtAtMs;
}

/**
 * The latest modification below a path, in Unix milliseconds; folders count, so that a removed file is seen. 0 when absent.
 * @param {string} place
 * @returns {Promise<number>}
 */
async function newestChangeMs(place) {
  if (!existsSync(place)) return 0;
  const status = await stat(place);
  if (!status.isDirectory()) return status.mtimeMs;
  const names = await readdir(place);
  const nested = await Promise.all(names.map((name) => newestChangeMs(path.join(place, name))));
  return Math.max(status.mtimeMs, ...nested);
}

/**
 * @param {string} root
 * @returns {Promise<boolean>} false when the bundle could not be made; the reason is on stderr
 */
export async function buildBundle(root) {
  const startedAt = performance.now();
  if (!existsSync(path.join(root, ENTRY))) {
    process.stderr.write(`build: ${ENTRY} is missing\n`);
    return false;
  }
  try {
    const { fileCount, bytes } = await bundle(root);
    const size = `${fileCount} files, ${Math.round(bytes / 1024)} KiB`;
    process.stdout.write(`build: ${OUTPUT}/main.js (${size}) in ${seconds(startedAt)}\n`);
    return true;
  } catch (error) {
    // esbuild has printed what is wrong and where; anything else speaks for itself
    if (!(error instanceof Error && 'errors' in error)) throw error;
    process.stderr.write('build: failed\n');
    return false;
  }
}

/** @param {string} root */
async function compileLibraries(root) {
  const startedAt = performance.now();
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  const { exitCode } = await runCommand([process.execPath, compiler, '-b'], { cwd: root, inherit: true });
  const verdict = exitCode === 0 ? 'libraries and types' : 'libraries failed';
  process.stdout.write(`build: ${verdict} in ${seconds(startedAt)}\n`);
  return exitCode === 0;
}

/** @param {number} startedAt */
function seconds(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(2)} s`;
}

if (isMain(import.meta.url)) {
  const { root, flags } = parseToolArguments(process.argv.slice(2), ['if-needed', 'types', 'all']);
  const isCurrent = flags.has('if-needed') && (await isBundleCurrent(root));
  const isBuilt = isCurrent || (await buildBundle(root));
  const wantsLibraries = flags.has('types') || flags.has('all');
  const isComplete = isBuilt && (!wantsLibraries || (await compileLibraries(root)));
  process.exitCode = isComplete ? 0 : 1;
}
