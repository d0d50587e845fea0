import type { JsonObject } from '@quire/protocol';
import type { WaitOptions } from '../waiting.ts';

/** How a WebSocket ended. Code 1006 without a close frame, 1005 with one that has no code. */
export interface WebSocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** An open WebSocket in a test's hands, for what no step can say: things that happen between two answers. */
export interface SimulatedWebSocket {
  /** Number of its handshake. */
  readonly handshake: number;
  /** Number of its TCP connection. */
  readonly connection: number;
  /** Negotiated extensions, as the 101 response names them. */
  readonly extensions: string;
  /** Set it to false and the peer's pings get no answer any more. */
  answerPings: boolean;
  readonly pingsReceived: number;
  readonly pongsReceived: number;
  /** Sends a ping; at most 125 bytes. */
  ping(words?: string): void;
  /** Sends one event, also when no request is under way. */
  sendEvent(fields: JsonObject): void;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Closes the connection without a close frame. */
  destroy(): void;
  /** Sends a TCP reset. */
  reset(): void;
  /** From here on the connection knows no response a request could continue. */
  forgetResponses(): void;
  waitForPings(count: number, options?: WaitOptions): Promise<void>;
  waitForPongs(count: number, options?: WaitOptions): Promise<void>;
  /** How it ended, once it has. */
  ended(options?: WaitOptions): Promise<WebSocketEnd>;
}
