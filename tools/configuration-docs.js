/**
 * Keeps what the documentation says of the configuration in step with the code: the tables of `docs/configuration.md`
 * and `docs/features.md`, and `docs/config.schema.json`. Checks them, or writes them with `--write`.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMain, parseToolArguments, reportResult } from './lib/tool.js';

const KEYS_PAGE = 'docs/configuration.md';
const FEATURES_PAGE = 'docs/features.md';
const SCHEMA = 'docs/config.schema.json';

/**
 * What the files should hold, by their paths in the repository.
 * @param {string} root
 * @returns {Promise<Map<string, string>>}
 */
async function expectedFiles(root) {
  const { CONFIG_KEYS, FEATURES, configSchema } = await loadTables(root);
  const page = (/** @type {string} */ file) => readFile(path.join(root, file), 'utf8');
  return new Map([
    [
      KEYS_PAGE,
      withTable(await page(KEYS_PAGE), {
        head: ['key', 'type', 'meaning'],
        rows: CONFIG_KEYS.map(({ key, type, meaning }) => [`\`${key}\``, type, meaning]),
      }),
    ],
    [
      FEATURES_PAGE,
      withTable(await page(FEATURES_PAGE), {
        head: ['feature', 'stage', 'default', 'meaning'],
        rows: FEATURES.map(({ name, stage, defaultEnabled, meaning }) => [
          `\`${name}\``,
          stage.replaceAll('-', ' '),
          defaultEnabled ? 'on' : 'off',
          meaning,
        ]),
      }),
    ],
    [SCHEMA, `${JSON.stringify(configSchema(), null, 2)}\n`],
  ]);
}

/**
 * The tables of the package, bundled, because this runs on a Node.js that may not read TypeScript.
 * @param {string} root
 * @returns {Promise<{
 *   CONFIG_KEYS: readonly { key: string, type: string, meaning: string }[],
 *   FEATURES: readonly { name: string, stage: string, defaultEnabled: boolean, meaning: string }[],
 *   configSchema: () => object,
 * }>}
 */
async function loadTables(root) {
  const { build } = await import('esbuild');
  const folder = await mkdtemp(path.join(tmpdir(), 'quire-configuration-docs-'));
  try {
    const outfile = path.join(folder, 'tables.mjs');
    await build({
      stdin: {
        contents: `export { CONFIG_KEYS } from './config-keys.ts';
          export { configSchema } from './config-schema.ts';
          export { FEATURES } from './feature-table.ts';`,
        resolveDir: path.join(root, 'packages/store/src/config'),
      },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      conditions: ['quire-source'],
      logLevel: 'error',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The page with other rows in its table. Its head says which table is meant.
 * @param {string} page
 * @param {{ head: string[], rows: string[][] }} table
 */
function withTable(page, { head, rows }) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  const lines = page.split('\n');
  const start = lines.indexOf(line(head));
  if (start === -1) throw new Error(`no table begins with ${line(head)}`);
  const length = lines.slice(start).findIndex((text) => !text.startsWith('|'));
  const end = length === -1 ? lines.length : start + length;
  const table = [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)];
  return [...lines.slice(0, start), ...table, ...lines.slice(end)].join('\n');
}

/**
 * @param {string} root
 * @returns {Promise<import('./lib/tool.js').CheckResult>}
 */
export async function checkConfigurationDocs(root) {
  const files = await expectedFiles(root);
  const findings = [];
  for (const [file, expected] of files) {
    const current = await readFile(path.join(root, file), 'utf8').catch(() => undefined);
    if (current !== expected) findings.push(`${file}: out of date; run: node tools/configuration-docs.js --write`);
  }
  return { findings, summary: `${files.size} files` };
}

/** @param {string} root */
async function writeConfigurationDocs(root) {
  for (const [file, text] of await expectedFiles(root)) await writeFile(path.join(root, file), text);
}

if (isMain(import.meta.url)) {
  const { root, flags } = parseToolArguments(process.argv.slice(2), ['write']);
  if (flags.has('write')) await writeConfigurationDocs(root);
  reportResult('configuration-docs', await checkConfigurationDocs(root));
}
