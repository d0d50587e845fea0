import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What happens to a connection instead of being passed on: as soon as it is made, or when the client has said something. */
export interface GateFault {
  readonly when: 'accepted' | 'asked';
  readonly how: 'reset' | 'close' | 'stall' | 'garbage';
}

export interface FaultyGate extends AsyncDisposable {
  readonly port: number;
  /** Connections that were accepted. */
  readonly count: () => number;
}

/** A door before a server: the first `faulty` connections meet a fault, later ones are passed on. */
export async function openGate(options: {
  readonly targetPort: number;
  readonly fault: GateFault;
  readonly faulty: number;
}): Promise<FaultyGate> {
  const { targetPort, fault, faulty } = options;
  const open = new Set<Socket>();
  let count = 0;
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => open.delete(socket));
  };
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    keep(client);
    count += 1;
    if (count > faulty) passOn(client, targetPort, keep);
    else if (fault.when === 'accepted') breakIt(client, fault);
    else client.once('data', () => breakIt(client, fault)).resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    count: () => count,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function breakIt(client: Socket, { how }: GateFault): void {
  // Read on, so that a client that leaves is noticed.
  client.resume().once('end', () => client.destroy());
  if (how === 'reset') client.resetAndDestroy();
  else if (how === 'close') client.end();
  else if (how === 'garbage') client.end('SSH-2.0-OpenSSH_9.9\r\n');
}

function passOn(client: Socket, port: number, keep: (socket: Socket) => void): void {
  const upstream = connect({ host: '127.0.0.1', port, noDelay: true });
  keep(upstream);
  upstream.pipe(client).pipe(upstream);
  upstream.once('close', () => client.destroy());
  client.once('close', () => upstream.destroy());
}
