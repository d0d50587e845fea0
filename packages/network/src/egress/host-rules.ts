import { isIP } from 'node:net';

/** Where a client wants to go. */
export interface Destination {
  /** In lower case; an address of version 6 without its brackets. */
  readonly host: string;
  readonly port: number;
}

interface HostRule {
  readonly host: string;
  /** Everything below `host`, and not it itself. */
  readonly isBelow: boolean;
  readonly port: number | undefined;
}

/** Letters, digits, hyphens and underscores between dots; 253 characters. Source: RFC 1123. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*$/;
/** Ways to write an address of version 4 that resolvers take: `127.1`, `0x7f000001`, `2130706433`. */
const NUMERIC_LABEL = /(?:^|\.)(?:0x[0-9a-f]*|[0-9]+)$/;

/**
 * `host:port` as in a CONNECT request, with brackets around an address of version 6. `undefined`: not a destination, such
 * as with a NUL, a user name, or an address written so that programs disagree on it.
 */
export function parseAuthority(text: string, defaultPort: number | undefined): Destination | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:@/\\[\]]+))(?::(\d{1,5}))?$/i.exec(text);
  if (match === null) return undefined;
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  if (port === undefined || port < 1 || port > 65_535) return undefined;
  if (match[1] !== undefined) return isIP(match[1]) === 6 ? { host: match[1].toLowerCase(), port } : undefined;
  const host = (match[2] ?? '').toLowerCase().replace(/\.$/, '');
  if (isIP(host) === 4) return { host, port };
  return HOST_NAME.test(host) && !NUMERIC_LABEL.test(host) ? { host, port } : undefined;
}

/** What is allowed, from the texts of a configuration. A text that is no rule allows nothing. */
export class HostRules {
  readonly #rules: readonly HostRule[];

  constructor(texts: readonly string[]) {
    this.#rules = texts.flatMap((text) => parseRule(text) ?? []);
  }

  allows({ host, port }: Destination): boolean {
    return this.#rules.some(
      (rule) =>
        (rule.port === undefined || rule.port === port) &&
        (rule.isBelow ? isIP(host) === 0 && host.endsWith(`.${rule.host}`) : host === rule.host),
    );
  }

  /** Whether `host` itself is named, so that wherever it leads is meant. */
  names(host: string): boolean {
    return this.#rules.some((rule) => !rule.isBelow && rule.host === host);
  }
}

function parseRule(text: string): HostRule | undefined {
  const trimmed = text.trim();
  const isBelow = trimmed.startsWith('*.');
  const bare = isBelow ? trimmed.slice(2) : trimmed;
  const destination = parseAuthority(isIP(bare) === 6 ? `[${bare}]` : bare, /* defaultPort */ 1);
  if (destination === undefined) return undefined;
  const hasPort = isIP(bare) !== 6 && /:\d+$/.test(bare);
  return { host: destination.host, isBelow, port: hasPort ? destination.port : undefined };
}
