import { isIP, isIPv4 } from 'node:net';
import type { Duplex } from 'node:stream';
import { credentialsFailure, proxyFailure } from './proxy-failure.ts';
import { conversation, notSocks, resolveHere, type SocksHop } from './socks5.ts';

const VERSION = 4;
const GRANTED = 90;
/** Codes 92 and 93: the proxy could not confirm who the user is. */
const WRONG_USER: ReadonlySet<number> = new Set([92, 93]);
/** An impossible address, which tells a SOCKS4a proxy that a name follows. */
const NAME_FOLLOWS = [0, 0, 0, 1] as const;

/**
 * Asks a SOCKS4 proxy, to which `socket` is connected, for a tunnel to the target, and gives the same socket
 * back. `socks4a` leaves names to the proxy; IPv6 addresses can not be asked for. Rejects like `openSocks5Tunnel`.
 */
export async function openSocks4Tunnel(socket: Duplex, hop: SocksHop): Promise<Duplex> {
  const { target, proxy } = hop;
  const host = proxy.scheme === 'socks4' ? await resolveHere(hop, /* family */ 4) : target.host;
  if (isIP(host) === 6) {
    throw proxyFailure('speaks SOCKS4, which has no IPv6 addresses', hop, { retryable: false });
  }
  return conversation(socket, hop, async (reader) => {
    const byName = !isIPv4(host);
    const fixed = Buffer.alloc(8);
    fixed.set([VERSION, /* connect */ 1]);
    fixed.writeUInt16BE(target.port, 2);
    fixed.set(byName ? NAME_FOLLOWS : host.split('.').map(Number), 4);
    // Both texts end at a zero byte; neither can hold one, see `parseProxy` and `parseTarget`.
    const user = Buffer.from(`${proxy.credentials?.username ?? ''}\0`);
    socket.write(Buffer.concat([fixed, user, Buffer.from(byName ? `${host}\0` : '')]));
    const [zero, code = 91] = await reader.read(/* length */ 8);
    if (zero !== 0) throw notSocks(hop);
    if (WRONG_USER.has(code)) throw credentialsFailure(hop, code);
    if (code === GRANTED) return;
    const message = `refused a connection to ${target.authority} (SOCKS4 code ${code}); check ${proxy.variable} and NO_PROXY`;
    throw proxyFailure(message, hop, { retryable: true, status: code });
  });
}
