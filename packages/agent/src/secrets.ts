import type { Config } from '@quire/store';
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

/** Names of headers and parameters that say who asks. */
const CREDENTIAL_NAME = /key|token|secret|sig|passw|auth|cookie|credential/i;

/** What the configuration says, or has read from variables, to authorise requests to the provider and to MCP servers. */
export function configuredSecrets(
  { provider, mcpServers, telemetry }: Pick<Config, 'provider' | 'mcpServers' | 'telemetry'>,
  environment: Environment,
): readonly (string | undefined)[] {
  const { envKey, bearerToken, httpHeaders, envHttpHeaders, queryParams } = provider;
  return [
    bearerToken,
    envKey === undefined ? undefined : environment[envKey],
    ...named({ ...httpHeaders, ...queryParams }),
    ...Object.values(envHttpHeaders).map((variable) => environment[variable]),
    ...[telemetry.logs, telemetry.traces, telemetry.metrics].flatMap((exporter) =>
      exporter.kind === 'none' ? [] : named(exporter.headers),
    ),
    ...mcpServers.flatMap(({ transport }): readonly string[] => {
      if (transport.kind === 'stdio') return named(transport.env ?? {});
      const variables = [transport.bearerTokenEnvVar, ...Object.values(transport.envHttpHeaders ?? {})];
      const fromVariables = variables.flatMap((name) => (name === undefined ? [] : (environment[name] ?? [])));
      return [...named(transport.httpHeaders ?? {}), ...fromVariables];
    }),
  ];
}

/** Values whose names say that they are secret: others, such as versions, stand everywhere. */
function named(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => (CREDENTIAL_NAME.test(name) ? value : []));
}

function note(secrets: Set<string>, value: string): void {
  const text = value.trim();
  const isPath = text.startsWith('/') || /^[A-Za-z]:\\/.test(text);
  if (text.length >= SHORTEST_SECRET && !isPath && !/\s/.test(text)) secrets.add(text);
}
