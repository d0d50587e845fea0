import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../../packages/cli', import.meta.url));

/** The built command in a folder of its own. */
export interface InstalledCommand extends AsyncDisposable {
  readonly path: string;
}

/**
 * Copies the built command, so that a build during the tests does not pull the files from under a running process.
 * `npm test` builds before it tests; whoever calls vitest directly does it with `npm run build`.
 */
export async function installCommand(): Promise<InstalledCommand> {
  if (!existsSync(join(PACKAGE, 'dist/main.js'))) throw new Error('the command is not built; run `npm run build`');
  const folder = await mkdtemp(join(tmpdir(), 'quire-command-'));
  for (const name of ['package.json', 'bin', 'dist']) {
    const filter = (source: string): boolean => !source.includes('types') && !source.endsWith('.map');
    await cp(join(PACKAGE, name), join(folder, name), { recursive: true, filter });
  }
  return {
    path: join(folder, 'bin/quire.js'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
