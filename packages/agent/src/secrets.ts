import type { Environment } from './environment.ts';

/** Names of variables that hold something nobody should find in a file. */
const SECRET_NAME = /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;
/** Shorter values are words, and would be found everywhere. */
const SHORTEST_SECRET = 12;

/** Values that must not be written to disk: keys of this run, and what the environment keeps under such names. */
export function knownSecrets(environment: Environment, extra: readonly (string | undefined)[]): readonly string[] {
  const secrets = new Set<string>();
  for (const value of extra) if (value !== undefined) note(secrets, value);
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && SECRET_NAME.test(name)) note(secrets, value);
  }
  return [...secrets];
}

function note(secrets: Set<string>, value: string): void {
  const text = value.trim();
  const isPath = text.startsWith('/') || /^[A-Za-z]:\\/.test(text);
  if (text.length >= SHORTEST_SECRET && !isPath && !/\s/.test(text)) secrets.add(text);
}
