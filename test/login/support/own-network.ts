import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../../tools/lib/run-command.js';
import { bundleProgram } from '../../support/bundled-program.ts';
import { installCommand } from '../../support/installed-command.ts';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const OWN_NETWORK = ['bwrap', '--dev-bind', '/', '/', '--unshare-net', '--die-with-parent', '--'] as const;

/** Why programs can have no network of their own on this machine, or `undefined`. */
export async function whyNoOwnNetwork(): Promise<string | undefined> {
  const { exitCode } = await runCommand([...OWN_NETWORK, 'true'], { cwd: tmpdir() });
  return exitCode === 0 ? undefined : 'bwrap can not make a network of its own here';
}

/**
 * What came of scenes with the built command, by name: the groups are played side by side, the scenes of one one after
 * the other. Each group has a network of its own, where the fixed ports of the login are free and nobody else can be
 * reached.
 *
 * @param program of `test/support`; gets the command, a folder to write to, the repository, `settings`, names of scenes
 */
export async function playScenes(
  program: string,
  groups: readonly (readonly string[])[],
  settings: readonly string[] = [],
): Promise<Readonly<Record<string, unknown>>> {
  await using command = await installCommand();
  await using bundled = await bundleProgram(program);
  const commandLine = [...OWN_NETWORK, process.execPath, bundled.path, command.path];
  const played = await Promise.all(groups.map((names) => play(commandLine, settings, names)));
  return Object.assign({}, ...played) as Readonly<Record<string, unknown>>;
}

async function play(
  commandLine: readonly string[],
  settings: readonly string[],
  names: readonly string[],
): Promise<object> {
  const folder = await mkdtemp(join(tmpdir(), 'quire-login-'));
  try {
    const { exitCode, output } = await runCommand([...commandLine, folder, REPOSITORY, ...settings, ...names], {
      cwd: folder,
    });
    if (exitCode !== 0) throw new Error(`${names.join(', ')} ended with code ${exitCode}: ${output}`);
    return JSON.parse(output) as object;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
