export type ProxyScheme = 'http' | 'https' | 'socks4' | 'socks4a' | 'socks5' | 'socks5h';

/** A proxy for one target. */
export interface ProxyEndpoint {
  readonly scheme: ProxyScheme;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** `host:port`, for messages and the pool. */
  readonly authority: string;
  /** Absent when the URL had no user info. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  /** The environment variable that named it. */
  readonly variable: string;
}

/** Value of `proxy-authorization`. */
export function basicAuthorization({ credentials }: ProxyEndpoint): string | undefined {
  if (credentials === undefined) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}
