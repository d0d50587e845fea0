import type { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { tcpStage, tlsStage } from '../connect/stages.ts';
import type { FailurePlace } from '../failure.ts';

interface Bound {
  readonly place: FailurePlace;
  /** The sockets of the pool speak TLS. */
  readonly tls: boolean;
}

/** Gives every new socket of one of Node's own pools a limit for TCP, and for TLS where there is TLS. */
export function boundConnects<T extends Agent>(agent: T, bound: Bound): T {
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (...parameters) => {
    const socket = create(...parameters);
    // Node's own agents make net.Sockets; the wider type is for those that others write.
    if (socket !== undefined && socket !== null) boundConnect(socket as Socket, bound);
    return socket;
  };
  return agent;
}

function boundConnect(socket: Socket, { place, tls }: Bound): void {
  const { limitMs, onTimeout } = tcpStage(place);
  let timer = setTimeout(() => socket.destroy(onTimeout(limitMs)), limitMs);
  const clear = (): void => clearTimeout(timer);
  socket.once('connect', () => {
    clear();
    if (!tls) return;
    const handshake = tlsStage(place);
    timer = setTimeout(() => socket.destroy(handshake.onTimeout(handshake.limitMs)), handshake.limitMs);
    socket.once('secureConnect', clear);
  });
  socket.once('close', clear);
}
