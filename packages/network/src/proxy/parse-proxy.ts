import { NetworkError } from '../network-error.ts';
import type { Target } from '../target.ts';
import type { ProxyEndpoint, ProxyScheme } from './proxy-endpoint.ts';

interface Context {
  /** Named in errors; the value is not, for it may hold a password. */
  readonly variable: string;
  readonly target: Target;
}

const SCHEMES: Readonly<Record<string, { readonly scheme: ProxyScheme; readonly port: number } | undefined>> = {
  http: { scheme: 'http', port: 80 },
  https: { scheme: 'https', port: 443 },
  socks: { scheme: 'socks5h', port: 1080 },
  socks4: { scheme: 'socks4', port: 1080 },
  socks4a: { scheme: 'socks4a', port: 1080 },
  socks5: { scheme: 'socks5', port: 1080 },
  socks5h: { scheme: 'socks5h', port: 1080 },
};

/** Reads `[scheme://][user:password@]host[:port]`. Throws NetworkError 'configuration'. */
export function parseProxy(value: string, context: Context): ProxyEndpoint {
  const [, name = 'http', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(value) ?? [];
  const known = SCHEMES[name.toLowerCase()];
  // Read as http whatever the scheme is: of the others the URL standard checks neither host nor port.
  const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : undefined;
  if (known === undefined || url === undefined || hasControls(value)) {
    throw failure(
      'is not the URL of a proxy; write it as http://host:port, https://host:port or socks5h://host:port',
      context,
    );
  }
  const port = explicitPort(rest) ?? known.port;
  return {
    scheme: known.scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    authority: `${url.hostname}:${port}`,
    credentials: credentialsOf(url, known.scheme, context),
    variable: context.variable,
  };
}

/** The URL parser drops port 80 as the default, and for SOCKS it is none. */
function explicitPort(rest: string): number | undefined {
  const authority = /^[^/?#\\]*/.exec(rest)?.[0] ?? '';
  const port = /:(\d+)$/.exec(authority.slice(authority.lastIndexOf('@') + 1))?.[1];
  return port === undefined ? undefined : Number(port);
}

function credentialsOf(url: URL, scheme: ProxyScheme, context: Context): ProxyEndpoint['credentials'] {
  if (url.username === '' && url.password === '') return undefined;
  const [username, password] = [decode(url.username), decode(url.password)];
  if (hasControls(username) || hasControls(password)) {
    throw failure('has control characters in its user name or password', context);
  }
  const basic = scheme === 'http' || scheme === 'https';
  if (basic && username.includes(':')) {
    throw failure('has a colon in its user name, which no HTTP proxy can be told', context);
  }
  if (!basic && (Buffer.byteLength(username) > 255 || Buffer.byteLength(password) > 255)) {
    throw failure('has a user name or password of more than 255 bytes, which SOCKS can not carry', context);
  }
  return { username, password };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A literal percent sign: taken as it stands.
    return text;
  }
}

function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function failure(what: string, { variable, target }: Context): NetworkError {
  const { host, port } = target;
  return new NetworkError('configuration', `${variable} ${what}`, { host, port, retryable: false });
}
