import { BlockList, isIP, isIPv4 } from 'node:net';
import { ModelError } from '@quire/protocol';
import type { Environment } from '../request/headers.ts';

/** A proxy for one target. */
export interface ProxyEndpoint {
  readonly url: URL;
  /** Value of `proxy-authorization`, when the URL had user info. */
  readonly authorization: string | undefined;
}

/**
 * The proxy that the environment asks for, `undefined` for a direct connection. Lower-case names win
 * over upper-case ones, the scheme's own variable over `ALL_PROXY`. Throws ModelError 'configuration'.
 */
export function proxyFor(target: URL, environment: Environment): ProxyEndpoint | undefined {
  const scheme = target.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const found = variable(environment, scheme) ?? variable(environment, 'all_proxy');
  if (found === undefined) return undefined;
  const exceptions = variable(environment, 'no_proxy');
  if (exceptions !== undefined && isExcepted(target, exceptions.value)) return undefined;
  return parseProxy(found.value, found.name);
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

function variable(environment: Environment, name: string): Variable | undefined {
  for (const spelling of [name, name.toUpperCase()]) {
    const value = environment[spelling]?.trim();
    if (value !== undefined && value !== '') return { name: spelling, value };
  }
  return undefined;
}

function parseProxy(value: string, name: string): ProxyEndpoint {
  const text = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ModelError('configuration', `${name} is not the URL of an HTTP proxy; write it as http://host:port`, {
      retryable: false,
    });
  }
  if (url.username === '') return { url, authorization: undefined };
  const userInfo = `${decode(url.username)}:${decode(url.password)}`;
  return { url, authorization: `Basic ${Buffer.from(userInfo).toString('base64')}` };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A literal percent sign: taken as it stands.
    return text;
  }
}

/** Whether `NO_PROXY` names the host: `*`, a name with all below it, an address, a network; each with an optional port. */
function isExcepted(target: URL, exceptions: string): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port;
  return exceptions.split(/[\s,]+/).some((entry) => entry !== '' && matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const withPort = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry);
  if (withPort !== null && withPort[2] !== port) return false;
  const name = (withPort?.[1] ?? entry).replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return name === host || isInNetwork(name, host);
  const suffix = name.replace(/^\*?\./, '');
  return host === suffix || host.endsWith(`.${suffix}`);
}

function isInNetwork(network: string, host: string): boolean {
  const [address = '', length] = network.split('/');
  if (length === undefined || !/^\d+$/.test(length) || isIP(address) !== isIP(host)) return false;
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (Number(length) > (family === 'ipv4' ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(length), family);
  return list.check(host, family);
}
