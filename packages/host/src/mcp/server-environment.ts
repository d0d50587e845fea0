import type { McpStdioTransport } from '@quire/core';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What every server gets, and nothing else: a server is a program of somebody else, and the rest holds keys.
 * Source: observed with the peer 0.169.
 */
const PASSED_ON = [
  'HOME',
  'LOGNAME',
  'PATH',
  'SHELL',
  'USER',
  '__CF_USER_TEXT_ENCODING',
  'LANG',
  'LC_ALL',
  'TERM',
  'TMPDIR',
  'TZ',
  // Where certificates are: without these a server can not work behind an inspecting proxy.
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'PIP_CERT',
  'GIT_SSL_CAINFO',
  'BUNDLE_SSL_CA_CERT',
  'NPM_CONFIG_CAFILE',
  'npm_config_cafile',
] as const;

/** The environment of a server that runs as a program. What it configures itself goes first. */
export function serverEnvironment(
  transport: Pick<McpStdioTransport, 'env' | 'envVars'>,
  environment: Environment,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of [...PASSED_ON, ...transport.envVars]) {
    const value = environment[name];
    if (value !== undefined) variables[name] = value;
  }
  return { ...variables, ...transport.env };
}
