/** The proxy through which a confined command reaches the hosts that are allowed. */
export interface EgressEndpoint {
  /** On 127.0.0.1. */
  readonly port: number;
  /** The same proxy. Absolute path of a Unix socket. */
  readonly socketPath: string;
}

/** Names by which programs find a proxy, each in both spellings that are in use. */
const PROXY_VARIABLES: readonly string[] = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
/** What a command listens on itself is not asked of the proxy. */
const DIRECT = 'localhost,127.0.0.1,::1';

/** Sends the programs of a command to the proxy, whatever proxy this process uses. */
export function egressVariables({ port }: Pick<EgressEndpoint, 'port'>): Readonly<Record<string, string>> {
  const url = `http://127.0.0.1:${port}`;
  const variables: Record<string, string> = { NO_PROXY: DIRECT, no_proxy: DIRECT, NODE_USE_ENV_PROXY: '1' };
  for (const name of PROXY_VARIABLES) {
    variables[name] = url;
    variables[name.toLowerCase()] = url;
  }
  return variables;
}
