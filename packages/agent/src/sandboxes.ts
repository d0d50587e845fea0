import { createSandbox, type Sandbox } from '@quire/host';
import type { Environment } from './environment.ts';

/** The sandboxes of one program: what was found out about the machine is found out once for all threads. */
export class Sandboxes {
  readonly #environment: Environment;
  readonly #byHosts = new Map<string, Sandbox>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** @param allowedHosts what commands may reach that use the network; absent: everything */
  for(allowedHosts: readonly string[] | undefined): Sandbox {
    const key = JSON.stringify(allowedHosts ?? null);
    let sandbox = this.#byHosts.get(key);
    if (sandbox === undefined) {
      sandbox = createSandbox({
        environment: this.#environment,
        ...(allowedHosts === undefined ? {} : { allowedHosts }),
      });
      this.#byHosts.set(key, sandbox);
    }
    return sandbox;
  }
}
