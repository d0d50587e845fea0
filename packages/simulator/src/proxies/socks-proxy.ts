import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Endpoint, type ProxyCredentials, type ProxyServer, startProxyServer, tunnel } from './proxy-server.ts';

export interface SocksProxyOptions {
  /** Asked for by SOCKS5; SOCKS4 is refused when they are set. */
  readonly credentials?: ProxyCredentials;
  /** Reply code of RFC 1928 (1 to 8) or, to a SOCKS4 client, of SOCKS4 (91 to 93) instead of a connection. */
  readonly refuseWith?: number;
  /** Accepts connections and never answers. */
  readonly silent?: boolean;
  /** Where a name leads; default: to itself. */
  readonly resolve?: (target: Endpoint) => Endpoint;
}

/** What a proxy was asked. `kind` tells whether the client resolved the name itself. */
export interface SocksRequest extends Endpoint {
  readonly version: 4 | 5;
  readonly kind: 'ipv4' | 'ipv6' | 'name';
  readonly username: string | undefined;
}

export interface SocksProxy extends ProxyServer {
  readonly requests: readonly SocksRequest[];
}

/** A SOCKS5, SOCKS4 and SOCKS4a proxy on loopback; CONNECT only. */
export async function startSocksProxy(options: SocksProxyOptions = {}): Promise<SocksProxy> {
  const requests: SocksRequest[] = [];
  const sockets = new Set<Duplex>();
  const onRequest = (client: Socket, request: SocksRequest): void => {
    requests.push(request);
    const { version } = request;
    const answer = (code: number): Buffer =>
      version === 5 ? Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]) : Buffer.from([0, code, 0, 0, 0, 0, 0, 0]);
    if (options.refuseWith !== undefined) {
      client.end(answer(options.refuseWith));
      return;
    }
    const target = options.resolve?.(request) ?? request;
    tunnel(client, target, sockets, {
      onOpen: () => client.write(answer(version === 5 ? 0 : 90)),
      onFailure: () => client.end(answer(version === 5 ? 5 : 91)),
    });
  };
  const server = createServer((client) => {
    if (options.silent !== true) converse(client, { credentials: options.credentials, onRequest });
  });
  return { ...(await startProxyServer(server, { scheme: 'socks5h', sockets })), requests };
}

interface Conversation {
  readonly credentials: ProxyCredentials | undefined;
  onRequest(client: Socket, request: SocksRequest): void;
}

/** One step: reads its message from the front of `bytes`. `undefined`: more bytes are needed. */
type Step = (bytes: Buffer) => { readonly used: number; readonly next: Step | undefined } | undefined;

/** Runs the steps over what arrives; bytes after the last step go to the target. */
function converse(client: Socket, { credentials, onRequest }: Conversation): void {
  let username: string | undefined;
  const ask = (request: Omit<SocksRequest, 'username'>): void => onRequest(client, { ...request, username });

  const first: Step = (bytes) => {
    if (bytes[0] === 4) return credentials === undefined ? socks4(bytes) : end(Buffer.from([0, 93, 0, 0, 0, 0, 0, 0]));
    if (bytes[0] !== 5) return end(Buffer.alloc(0));
    const used = 2 + (bytes[1] ?? 256);
    if (bytes.length < used) return undefined;
    const method = credentials === undefined ? 0 : 2;
    if (!bytes.subarray(2, used).includes(method)) return end(Buffer.from([5, 0xff]));
    client.write(Buffer.from([5, method]));
    return { used, next: method === 2 ? login : socks5 };
  };
  const login: Step = (bytes) => {
    const nameLength = bytes[1] ?? 256;
    const used = 3 + nameLength + (bytes[2 + nameLength] ?? 256);
    if (bytes.length < used) return undefined;
    username = bytes.toString('utf8', 2, 2 + nameLength);
    const password = bytes.toString('utf8', 3 + nameLength, used);
    if (username !== credentials?.username || password !== credentials.password) return end(Buffer.from([1, 1]));
    client.write(Buffer.from([1, 0]));
    return { used, next: socks5 };
  };
  const socks5: Step = (bytes) => {
    const kind = ({ 1: 'ipv4', 3: 'name', 4: 'ipv6' } as const)[bytes[3] ?? 0];
    const start = kind === 'name' ? 5 : 4;
    const length = kind === 'name' ? (bytes[4] ?? 256) : kind === 'ipv4' ? 4 : 16;
    if (bytes.length < start + length + 2) return undefined;
    if (kind === undefined) return end(Buffer.from([5, 8, 0, 1, 0, 0, 0, 0, 0, 0]));
    const address = bytes.subarray(start, start + length);
    ask({ version: 5, kind, host: hostOf(kind, address), port: bytes.readUInt16BE(start + length) });
    return { used: start + length + 2, next: undefined };
  };
  const socks4: Step = (bytes) => {
    const userEnd = bytes.indexOf(0, 8);
    if (userEnd === -1) return undefined;
    const byName = bytes.readUInt32BE(4) < 256 && bytes[7] !== 0;
    const hostEnd = byName ? bytes.indexOf(0, userEnd + 1) : userEnd;
    if (hostEnd === -1) return undefined;
    const host = byName ? bytes.toString('latin1', userEnd + 1, hostEnd) : hostOf('ipv4', bytes.subarray(4, 8));
    username = userEnd === 8 ? undefined : bytes.toString('utf8', 8, userEnd);
    ask({ version: 4, kind: byName ? 'name' : 'ipv4', host, port: bytes.readUInt16BE(2) });
    return { used: hostEnd + 1, next: undefined };
  };
  const end = (answer: Buffer): undefined => {
    client.off('data', onData).end(answer);
    return undefined;
  };

  let step: Step | undefined = first;
  let pending = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    pending = Buffer.concat([pending, chunk]);
    while (step !== undefined && pending.length > 0) {
      const result: ReturnType<Step> = step(pending);
      if (result === undefined) return;
      pending = pending.subarray(result.used);
      step = result.next;
    }
    if (step !== undefined) return;
    client.off('data', onData).pause();
    if (pending.length > 0) client.unshift(pending);
  };
  client.on('data', onData);
}

function hostOf(kind: SocksRequest['kind'], address: Buffer): string {
  if (kind === 'name') return address.toString('latin1');
  if (kind === 'ipv4') return [...address].join('.');
  return Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16)).join(':');
}
