/** What liveness needs of a socket. */
export interface PingableSocket {
  ping(): void;
  /** Nothing can be heard while a slow reader holds the socket back. */
  readonly isPaused: boolean;
}

export interface LivenessOptions {
  readonly pingIntervalMs: number;
  readonly now: () => number;
  /** Called once: a ping was not answered within a further interval. */
  readonly onDead: () => void;
  readonly onPong: (roundTripMs: number) => void;
}

/**
 * Knows whether the other end of a connection is there, apart from whether the model says something.
 * One ping in each interval; anything that arrives counts as an answer. A peer that vanishes is known
 * after two intervals at most.
 */
export class Liveness {
  readonly #socket: PingableSocket;
  readonly #options: LivenessOptions;
  #timer: NodeJS.Timeout;
  #check: NodeJS.Immediate | undefined;
  /** When the ping was sent that nothing has answered yet. */
  #askedAtMs: number | undefined;

  constructor(socket: PingableSocket, options: LivenessOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#timer = setInterval(this.#onTick, options.pingIntervalMs);
    this.#timer.unref();
  }

  /** Any frame arrived. */
  heard(): void {
    this.#askedAtMs = undefined;
  }

  pong(): void {
    if (this.#askedAtMs !== undefined) this.#options.onPong(this.#options.now() - this.#askedAtMs);
    this.#askedAtMs = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#check);
  }

  readonly #onTick = (): void => {
    if (this.#askedAtMs === undefined || this.#socket.isPaused) {
      this.#ask();
      return;
    }
    // If this process was the one that slept, the answer may lie in the socket: read before judging.
    this.#check = setImmediate(() => {
      if (this.#askedAtMs === undefined) this.#ask();
      else {
        this.stop();
        this.#options.onDead();
      }
    });
  };

  #ask(): void {
    this.#askedAtMs = this.#options.now();
    this.#socket.ping();
  }
}
