import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A folder of its own for one test, gone at the end of the block. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'quire-store-')));
  return { path: folder, [Symbol.dispose]: () => fs.rmSync(folder, { recursive: true, force: true }) };
}
