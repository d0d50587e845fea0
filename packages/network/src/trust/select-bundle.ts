import type { Environment } from '../environment.ts';

export interface SelectedBundle {
  /** What names the file: an environment variable, or the setting of the connection itself. */
  readonly variable: 'CODEX_CA_CERTIFICATE' | 'SSL_CERT_FILE' | 'ca-certificate';
  readonly path: string;
}

/** The file of additional authorities that the environment names. An empty variable is an unset one. */
export function selectBundle(environment: Environment): SelectedBundle | undefined {
  for (const variable of ['CODEX_CA_CERTIFICATE', 'SSL_CERT_FILE'] as const) {
    const path = environment[variable];
    if (path !== undefined && path !== '') return { variable, path };
  }
  return undefined;
}
