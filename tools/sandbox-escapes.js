/**
 * Makes every attempt of test/sandbox on this machine and prints how many got out; `--write` writes
 * docs/sandbox-escapes.md. Exit code: 0 when none got out, else 1.
 *
 * `--without-namespaces`: makes them where nobody may make namespaces, as in most containers, with a page of its own.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from './lib/run-command.js';
import { isMain, parseToolArguments } from './lib/tool.js';

const PAGE = 'docs/sandbox-escapes.md';
const PAGE_WITHOUT_NAMESPACES = 'docs/sandbox-escapes-without-namespaces.md';
/** A user namespace in which no other can be made. The limit holds in there only. */
const WITHOUT_NAMESPACES = [
  'unshare',
  '--user',
  '--map-root-user',
  'sh',
  '-c',
  'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"',
  'sh',
];

/**
 * @param {string} root
 * @param {{ withNamespaces: boolean }} options
 * @returns {Promise<{ page: string, isContained: boolean, output: string }>}
 */
async function makeAttempts(root, { withNamespaces }) {
  const directory = await mkdtemp(path.join(tmpdir(), 'quire-escapes-'));
  try {
    const file = path.join(directory, 'page.md');
    const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
    const plain = [process.execPath, vitest, 'run', 'test/sandbox/escapes.test.ts'];
    const command = withNamespaces ? plain : [...WITHOUT_NAMESPACES, ...plain];
    const flag = withNamespaces ? '' : ' --without-namespaces';
    const env = { ...process.env, QUIRE_ESCAPES_TABLE: file, QUIRE_ESCAPES_FLAG: flag, NO_COLOR: '1' };
    const { exitCode, output } = await runCommand(command, { cwd: root, env });
    const page = await readFile(file, 'utf8').catch(() => '');
    return { page, isContained: exitCode === 0, output };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  const { root, flags } = parseToolArguments(process.argv.slice(2), ['write', 'without-namespaces']);
  const withNamespaces = !flags.has('without-namespaces');
  const { page, isContained, output } = await makeAttempts(root, { withNamespaces });
  if (page === '') process.stdout.write(`${output}\nno attempt was made\n`);
  else {
    if (flags.has('write')) await writeFile(path.join(root, withNamespaces ? PAGE : PAGE_WITHOUT_NAMESPACES), page);
    const facts = page.split('\n').filter((line) => line.startsWith('- ') || line.includes('**got out**'));
    process.stdout.write(`${facts.join('\n')}\n`);
  }
  process.exitCode = isContained && page !== '' ? 0 : 1;
}
