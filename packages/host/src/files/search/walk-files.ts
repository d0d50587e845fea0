import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SearchGlob } from './ignore-rules.ts';
import { IgnoredFiles } from './ignored-files.ts';

/**
 * The files below a folder that ripgrep would search: no links, nothing hidden, nothing ignored, and with `glob` only what
 * it matches. Ends when nobody asks for more. Folders that can not be read are passed over.
 */
export async function* walkFiles(
  root: string,
  options: {
    readonly glob: SearchGlob | undefined;
    readonly cwd: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
  },
): AsyncGenerator<string, void, undefined> {
  const { glob } = options;
  const waiting: { readonly folder: string; readonly ignored: IgnoredFiles | undefined }[] = [
    { folder: root, ignored: undefined },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { folder } = next;
    const children = await readFolder(folder);
    const names = new Set(children.map(({ name }) => name));
    const ignored = next.ignored?.below(folder, names) ?? IgnoredFiles.at(folder, options);
    for (const child of children) {
      const isDirectory = child.isDirectory();
      if (!isDirectory && !child.isFile()) continue;
      const path = join(folder, child.name);
      const wanted = glob?.match(path, { isDirectory });
      if (wanted === 'ignore') continue;
      if (wanted === undefined && ignored.isIgnored(path, child.name, { isDirectory })) continue;
      if (isDirectory) waiting.push({ folder: path, ignored });
      else yield path;
    }
  }
}

async function readFolder(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    return []; // not for us, or gone meanwhile
  }
}
