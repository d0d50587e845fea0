import { NetworkError } from './network-error.ts';

/** Where a connection goes. */
export interface Target {
  /** A name, or an address without brackets. In lower case, without a final dot. */
  readonly host: string;
  readonly port: number;
  /** TLS: https and wss. */
  readonly secure: boolean;
  /** `host:port` with brackets around an IPv6 address, as a CONNECT line and messages spell it. */
  readonly authority: string;
}

const SECURE: Readonly<Record<string, boolean | undefined>> = {
  'http:': false,
  'ws:': false,
  'https:': true,
  'wss:': true,
};

/**
 * Labels of letters, digits, `-` and `_`. A URL may hold more than that (`,`, `'`, `(`…), but then a proxy, a
 * resolver and this client may each read another host out of the same text.
 */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*$/;
const BRACKETED = /^\[([0-9a-f:.]+)\]$/;

/** Throws NetworkError 'configuration' for a scheme or a host that no connection can be made to. */
export function parseTarget(url: URL): Target {
  const secure = SECURE[url.protocol];
  const port = Number(url.port === '' ? (secure === true ? 443 : 80) : url.port);
  // A final dot marks a name as complete; certificates, NO_PROXY and proxies know it without.
  const name = url.hostname.toLowerCase().replace(/\.$/, '');
  const host = BRACKETED.exec(name)?.[1] ?? name;
  if (secure === undefined || port === 0 || (host === name && !HOST_NAME.test(host))) {
    throw new NetworkError(
      'configuration',
      `cannot connect to ${JSON.stringify(url.host)} by ${url.protocol} only http, https, ws and wss URLs of a host name or an address are supported`,
      { host: '', port, retryable: false },
    );
  }
  return { host, port, secure, authority: `${name}:${port}` };
}
