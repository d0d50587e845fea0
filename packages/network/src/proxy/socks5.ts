import { lookup } from 'node:dns/promises';
import { isIP, isIPv4 } from 'node:net';
import type { Duplex } from 'node:stream';
import { networkFailure } from '../failure.ts';
import type { NetworkError } from '../network-error.ts';
import { ByteReader } from './byte-reader.ts';
import { credentialsFailure, type ProxyHop, proxyFailure } from './proxy-failure.ts';

/** A target, its proxy, and when to give up. */
export interface SocksHop extends ProxyHop {
  readonly signal: AbortSignal;
}

const VERSION = 5;
const NO_CREDENTIALS = 0;
const USER_AND_PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;
/** Kinds of address. */
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/** Reply codes of RFC 1928, and whether the same request may succeed later. */
const REPLIES: Readonly<Record<number, readonly [text: string, retryable: boolean] | undefined>> = {
  1: ['failed', true],
  2: ['does not allow it by its rules', false],
  3: ['cannot reach the network', true],
  4: ['cannot reach the host', true],
  5: ['found the connection refused', true],
  6: ['found the time to live expired', true],
  7: ['does not know the command', false],
  8: ['does not know this kind of address', false],
};

/**
 * Asks a SOCKS5 proxy, to which `socket` is connected, for a tunnel to the target, and gives the same socket
 * back. `socks5h` leaves names to the proxy. Rejects with NetworkError, or the reason of the signal; the caller
 * destroys the socket then. Source: RFC 1928, RFC 1929.
 */
export async function openSocks5Tunnel(socket: Duplex, hop: SocksHop): Promise<Duplex> {
  const address = await encodeAddress(hop);
  return conversation(socket, hop, async (reader) => {
    await greet(socket, reader, hop);
    const port = Buffer.alloc(2);
    port.writeUInt16BE(hop.target.port);
    socket.write(Buffer.concat([Buffer.from([VERSION, /* connect */ 1, 0]), address, port]));
    const [version, reply = 1, , kind] = await reader.read(/* length */ 4);
    if (version !== VERSION) throw notSocks(hop);
    if (reply !== 0) throw refusal(hop, reply);
    await skipAddress(reader, kind, hop);
  });
}

/** Runs `speak` and gives the socket back. Its errors are the proxy's: nothing of the target is known yet. */
export async function conversation(
  socket: Duplex,
  hop: SocksHop,
  speak: (reader: ByteReader) => Promise<void>,
): Promise<Duplex> {
  const reader = new ByteReader(socket, hop.signal);
  try {
    await speak(reader);
  } catch (error) {
    hop.signal.throwIfAborted();
    throw networkFailure(error, { target: hop.target, proxy: hop.proxy.authority, atProxy: true });
  }
  reader.giveBack();
  return socket;
}

export function notSocks(hop: ProxyHop): NetworkError {
  const { scheme, variable } = hop.proxy;
  return proxyFailure(`does not speak ${scheme}; check ${variable}`, hop, { retryable: false });
}

async function greet(socket: Duplex, reader: ByteReader, hop: SocksHop): Promise<void> {
  const { credentials } = hop.proxy;
  // Credentials are offered only when there are some; a proxy that needs none may still choose to go without.
  const methods = credentials === undefined ? [NO_CREDENTIALS] : [NO_CREDENTIALS, USER_AND_PASSWORD];
  socket.write(Buffer.from([VERSION, methods.length, ...methods]));
  const [version, method] = await reader.read(/* length */ 2);
  if (version !== VERSION) throw notSocks(hop);
  if (method === NONE_ACCEPTABLE) throw credentialsFailure(hop, NONE_ACCEPTABLE);
  if (method === NO_CREDENTIALS) return;
  if (method !== USER_AND_PASSWORD || credentials === undefined) throw notSocks(hop);
  const [username, password] = [Buffer.from(credentials.username), Buffer.from(credentials.password)];
  const lengths = [Buffer.from([1, username.length]), Buffer.from([password.length])] as const;
  socket.write(Buffer.concat([lengths[0], username, lengths[1], password]));
  const [, status = 1] = await reader.read(/* length */ 2);
  if (status !== 0) throw credentialsFailure(hop, status);
}

async function encodeAddress(hop: SocksHop): Promise<Buffer> {
  const { target, proxy } = hop;
  const host = proxy.scheme === 'socks5' ? await resolveHere(hop, /* family */ 0) : target.host;
  if (isIP(host) === 0) return Buffer.concat([Buffer.from([NAME, host.length]), Buffer.from(host, 'latin1')]);
  return isIPv4(host) ? Buffer.from([IPV4, ...host.split('.').map(Number)]) : Buffer.from([IPV6, ...ipv6Bytes(host)]);
}

/** For the kinds of proxy that want an address from us. Rejects with NetworkError 'dns'. */
export async function resolveHere(hop: SocksHop, family: 0 | 4): Promise<string> {
  const { target, signal } = hop;
  if (isIP(target.host) !== 0) return target.host;
  try {
    const { address } = await lookup(target.host, { family });
    signal.throwIfAborted();
    return address;
  } catch (error) {
    signal.throwIfAborted();
    throw networkFailure(error, { target, proxy: hop.proxy.authority, atProxy: false });
  }
}

/** The URL parser has brought the address into its one canonical form: hexadecimal groups, `::` at most once. */
function ipv6Bytes(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return [...front, ...zeros, ...back].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** The address that the proxy connected from; nobody needs it. */
async function skipAddress(reader: ByteReader, kind: number | undefined, hop: SocksHop): Promise<void> {
  let length: number;
  if (kind === IPV4) length = 4;
  else if (kind === IPV6) length = 16;
  else if (kind === NAME) length = (await reader.read(/* length */ 1))[0] ?? 0;
  else throw notSocks(hop);
  await reader.read(length + 2);
}

function refusal(hop: ProxyHop, code: number): NetworkError {
  const [text, retryable] = REPLIES[code] ?? ['failed', true];
  const { variable } = hop.proxy;
  const message = `refused a connection to ${hop.target.authority}: it ${text} (SOCKS5 code ${code}); check ${variable} and NO_PROXY`;
  return proxyFailure(message, hop, { retryable, status: code });
}
