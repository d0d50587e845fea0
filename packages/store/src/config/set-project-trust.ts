import path from 'node:path';
import { type ConfigChange, editConfigFile } from './edit-config.ts';
import { realPath } from './find-project.ts';
import { isTable, valueAt } from './layers.ts';
import type { Trust } from './project-trust.ts';

export interface SetProjectTrustOptions {
  /** Absolute. Its `config.toml` is changed. */
  readonly home: string;
  /** Absolute: `Config.projectTrustPath`, or any folder. */
  readonly path: string;
  /** `undefined` forgets what was said. */
  readonly trust: Trust;
}

/**
 * Writes down what a person said of a project. It counts from the next start on.
 * @throws ConfigError when the file can not be understood or written
 */
export async function setProjectTrust({ home, path: folder, trust }: SetProjectTrustOptions): Promise<void> {
  const project = await realPath(folder);
  await editConfigFile(path.join(home, 'config.toml'), (document): readonly ConfigChange[] => {
    const table = ['projects', project];
    if (trust !== undefined && !isTable(valueAt(document, table))) {
      return [{ path: table, value: { trust_level: trust } }];
    }
    return [{ path: [...table, 'trust_level'], value: trust }];
  });
}
