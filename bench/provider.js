/**
 * The provider of the bench, in a process of its own so that its work does not count. One simulator per run, all in this
 * process, so that it is as warm for the first client as for the last.
 */
import { Simulator } from '@quire/simulator';
import { rulesOf, scenarioOf } from './scenarios.js';

/**
 * @typedef {{ kind: 'start', scenario: string } | { kind: 'finish' } | { kind: 'leave' }} Command
 * @typedef {{ kind: 'started', url: string } | { kind: 'finished', requestCount: number, isRight: boolean, unexpected: readonly string[], bytesReceived: number }} Report
 *   `bytesReceived`: all that the client sent, handshakes and warm-up among it, as it was on the wire
 */

/** @type {Simulator | undefined} */
let simulator;
let scenarioName = '';

process.on('message', (message) => void handle(/** @type {Command} */ (message)).catch(fail));
process.on('disconnect', () => process.exit(0));

/** @param {Command} command */
async function handle(command) {
  switch (command.kind) {
    case 'start': {
      const scenario = scenarioOf(command.scenario);
      scenarioName = command.scenario;
      // Lenient: the invariants are those of `quire`; the other clients have their own habits.
      simulator = await Simulator.start({ rules: rulesOf(scenario), lenient: true });
      report({ kind: 'started', url: simulator.url });
      return;
    }
    case 'finish': {
      const requests = simulator?.requests ?? [];
      const isRight = scenarioOf(scenarioName).isRight(requests);
      const unexpected = simulator?.unexpectedRequests ?? [];
      const arrivals = [...requests, ...(simulator?.prewarms ?? []), ...(simulator?.handshakes ?? [])];
      const bytesReceived = arrivals.reduce((sum, arrival) => sum + arrival.bytesReceived, 0);
      await simulator?.stop();
      simulator = undefined;
      report({ kind: 'finished', requestCount: requests.length, isRight, unexpected, bytesReceived });
      return;
    }
    default:
      process.disconnect();
  }
}

/** @param {Report} message */
function report(message) {
  process.send?.(message);
}

/** @param {unknown} error */
function fail(error) {
  process.stderr.write(`bench provider: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
