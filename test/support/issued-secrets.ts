import { readdir, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';

/**
 * Whatever the simulator's authorization server issues: refresh tokens, personal and opaque access tokens, keys, and
 * signed JWTs, whole.
 */
const ISSUED =
  /(?<![\w-])(?:(?:refresh|access|at)-[\w-]{24}|sk-simulated-[\w-]{12}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{43})(?![\w-])/;

/** Where a login is kept. */
const KEPT = new Set(['auth.json']);

/** Throws when a text holds something that the simulator issued; the message does not repeat it. */
export function requireNoIssuedSecret(what: string, content: string): void {
  const found = ISSUED.exec(content);
  if (found !== null) throw new Error(`${what} holds a secret: ${found[0].slice(0, 8)}… at ${found.index}`);
}

/** The same for every file below a folder, but for those of logins. */
export async function requireNoIssuedSecretBelow(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile() || KEPT.has(basename(entry.name))) continue;
    const file = join(entry.parentPath, entry.name);
    // What goes away meanwhile, or can not be read, is left to who does that.
    const content = await readFile(file, 'latin1').catch(() => '');
    requireNoIssuedSecret(relative(folder, file), content);
  }
}
