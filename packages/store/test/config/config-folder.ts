import fs from 'node:fs';
import path from 'node:path';
import { ConfigError, type LoadConfigOptions } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

export interface Given {
  /** By path below the folder: `home`, `etc` and `project` are what they say. `%` in a text stands for the folder. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly overrides?: readonly string[];
  readonly profile?: string;
}

/** Runs `check` where the files are, and nothing else of the machine is read. */
export async function withFiles(
  given: Given,
  check: (options: LoadConfigOptions, place: string) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder();
  for (const name of ['home', 'etc', 'project']) fs.mkdirSync(path.join(folder.path, name));
  for (const [name, content] of Object.entries(given.files ?? {})) {
    const file = path.join(folder.path, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, typeof content === 'string' ? content.replaceAll('%', folder.path) : content);
  }
  const options: LoadConfigOptions = {
    home: path.join(folder.path, 'home'),
    systemFolder: path.join(folder.path, 'etc'),
    cwd: path.join(folder.path, 'project'),
    overrides: given.overrides ?? [],
    environment: { HOME: folder.path },
    profile: given.profile,
  };
  await check(options, folder.path);
}

/** What the promise rejects with, for people, with `%` for the folder. */
export async function problemOf(promise: Promise<unknown>, place: string): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${String(error)}`);
  return `${error.code}: ${error.message.replaceAll(place, '%')}`;
}
