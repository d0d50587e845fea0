import fs from 'node:fs';
import path from 'node:path';
import { describeSystemError } from '@quire/files';
import { ConfigError } from './config/config-error.ts';

/** Environment variables by name; unset ones are absent or `undefined`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const HOME_VARIABLES = ['QUIRE_HOME', 'CODEX_HOME'] as const;

/**
 * The folder of the configuration, the credentials and the rollouts: `$QUIRE_HOME`, else `$CODEX_HOME`, else
 * `.codex` in the user's home directory. Absolute. Empty variables count as unset.
 *
 * A folder named by a variable must exist (ConfigError 'home-missing'): a typing error there would otherwise
 * look like a lost login. The default one need not.
 */
export function resolveHome(options: { readonly environment: Environment; readonly homeDirectory: string }): string {
  for (const variable of HOME_VARIABLES) {
    const value = options.environment[variable];
    if (value !== undefined && value !== '') return requireDirectory(variable, value);
  }
  return path.join(requireHomeDirectory(options.homeDirectory), '.codex');
}

/** Below the working directory it would be the folder of a project, which nobody may have vouched for. */
function requireHomeDirectory(directory: string): string {
  if (path.isAbsolute(directory)) return directory;
  throw new ConfigError(
    'home-missing',
    `HOME is ${JSON.stringify(directory)}, which is no absolute path; set it to your home folder, or set QUIRE_HOME`,
    { source: 'HOME' },
  );
}

function requireDirectory(variable: string, value: string): string {
  try {
    const real = fs.realpathSync(value);
    if (fs.statSync(real).isDirectory()) return real;
  } catch (cause) {
    throw new ConfigError(
      'home-missing',
      `${variable} is ${JSON.stringify(value)}: ${describeSystemError(cause)}; create that folder or unset ${variable}`,
      { source: variable, cause },
    );
  }
  throw new ConfigError(
    'home-missing',
    `${variable} is ${JSON.stringify(value)}, which is not a folder; point it to one or unset it`,
    { source: variable },
  );
}
