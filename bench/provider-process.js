/** Starts and asks the process of provider.js. */
import { fork } from 'node:child_process';
import path from 'node:path';

/**
 * @typedef {import('./provider.js').Command} Command
 * @typedef {import('./provider.js').Report} Report
 */

export class ProviderProcess {
  #child = fork(path.join(import.meta.dirname, 'provider.js'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

  /** @param {string} scenario @returns {Promise<string>} the base URL */
  async start(scenario) {
    const report = await this.#ask({ kind: 'start', scenario });
    if (report.kind !== 'started') throw new Error('the bench provider did not start');
    return report.url;
  }

  /** What the provider saw since `start`. */
  async finish() {
    const report = await this.#ask({ kind: 'finish' });
    if (report.kind !== 'finished') throw new Error('the bench provider did not finish');
    return report;
  }

  stop() {
    this.#child.disconnect();
  }

  /** @param {Command} command @returns {Promise<Report>} rejects when the process ends first */
  #ask(command) {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('the bench provider ended'));
      this.#child.once('exit', onExit);
      this.#child.once('message', (message) => {
        this.#child.off('exit', onExit);
        resolve(/** @type {Report} */ (message));
      });
      this.#child.send(command);
    });
  }
}
