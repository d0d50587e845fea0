import type { JsonObject } from '@quire/protocol';
import { errorAnswer } from '../error-answer.ts';
import { checkHandshake } from '../invariants/check-handshake.ts';
import type { RecordedHandshake } from '../recorded-request.ts';
import { acceptUpgrade } from '../script/handshake.ts';
import { describeStep, type HandshakeStep } from '../script/step.ts';
import type { ReceivedUpgrade } from '../server/loopback-server.ts';
import type { SimulatorOptions } from '../simulator-options.ts';
import type { Waiting } from '../waiting.ts';
import { acceptHandshake, refuseHandshake } from './answer-handshake.ts';
import { WebSocketConnection, type WebSocketOptions } from './connection.ts';

export interface UpgradesOptions {
  readonly simulator: SimulatorOptions;
  readonly waiting: Waiting;
  readonly served: WeakSet<JsonObject>;
  readonly violations: string[];
  readonly onFrame: WebSocketOptions['onFrame'];
  /** The answer to a handshake that no step takes. */
  readonly fallback: () => HandshakeStep | undefined;
  readonly stopListening: () => void;
  /** Fires when the simulator closes. */
  readonly signal: AbortSignal;
}

/** Answers handshakes and keeps the WebSockets they opened. */
export class Upgrades {
  readonly handshakes: RecordedHandshake[] = [];
  readonly #connections: Map<number, WebSocketConnection> = new Map();
  readonly #steps: readonly HandshakeStep[];
  readonly #options: UpgradesOptions;
  #used = 0;

  constructor(options: UpgradesOptions) {
    this.#options = options;
    this.#steps = options.simulator.handshakes ?? [];
  }

  /** The WebSocket that the handshake opened; `undefined` when it did not, or not yet. */
  connection(handshake: number): WebSocketConnection | undefined {
    return this.#connections.get(handshake);
  }

  unusedSteps(): readonly string[] {
    return this.#steps.slice(this.#used).map((step, offset) => {
      const what = step.kind === 'accept' ? 'an accepted handshake' : describeStep(step);
      return `handshake step ${this.#used + offset} (${what}) was not used`;
    });
  }

  /** Resolves when the connection is over. Never rejects. */
  async answer(upgrade: ReceivedUpgrade): Promise<void> {
    const { waiting, violations } = this.#options;
    const handshake: RecordedHandshake = {
      index: this.handshakes.length,
      connection: upgrade.connection.index,
      path: upgrade.request.url ?? '',
      headers: upgrade.request.headers,
      receivedAtMs: upgrade.receivedAtMs,
      bytesReceived: upgrade.connection.takeBytesReceived(),
    };
    this.handshakes.push(handshake);
    const step = this.#choose(handshake);
    waiting.notify();
    try {
      if (step.kind !== 'accept') await refuseHandshake(upgrade, step, this.#options);
      else await this.#serve(upgrade, { handshake, step });
    } catch (error) {
      violations.push(
        `handshake ${handshake.index}: the script threw: ${error instanceof Error ? error.message : String(error)}`,
      );
      upgrade.socket.destroy();
    }
  }

  #choose(handshake: RecordedHandshake): HandshakeStep {
    const { simulator, violations } = this.#options;
    if (simulator.acceptsAnyClient !== true) {
      const problems = checkHandshake(handshake, { expectAuthorization: simulator.expectAuthorization });
      violations.push(...problems.map((problem) => `handshake ${handshake.index}: ${problem}`));
      if (problems.length > 0 && simulator.lenient !== true) {
        return errorAnswer(/* code */ 400, { code: 'invariant_violated', message: problems.join('; ') });
      }
    }
    const step = this.#steps[this.#used];
    if (step === undefined) return this.#options.fallback() ?? acceptUpgrade();
    this.#used += 1;
    return step;
  }

  async #serve(upgrade: ReceivedUpgrade, accepted: Pick<WebSocketOptions, 'handshake' | 'step'>): Promise<void> {
    const { served, waiting, onFrame, violations } = this.#options;
    const socket = await acceptHandshake(upgrade, accepted.step, this.#options);
    if (socket === 'client-left') return;
    if (socket === 'no-handshake') {
      violations.push(`handshake ${accepted.handshake.index}: its WebSocket headers are incomplete or wrong`);
      return;
    }
    const connection = new WebSocketConnection(socket, upgrade.socket, {
      ...accepted,
      connection: upgrade.connection,
      served,
      waiting,
      onFrame,
      onEarlyFrame: () => {
        violations.push(
          `WebSocket ${accepted.handshake.index}: a request came before the response to the last had ended`,
        );
      },
    });
    this.#connections.set(accepted.handshake.index, connection);
    waiting.notify();
    await connection.whenDone();
  }
}
