import type { ProbeAnswer, ProbeOptions } from './probe-options.ts';

/**
 * Asks the provider for its list of models, once and without retries: nothing is generated. Rejects with ModelError
 * 'configuration' when there is nothing that could be asked, or with the reason of the signal.
 */
export async function probeProvider(options: ProbeOptions): Promise<ProbeAnswer> {
  return await (await import('./ask.ts')).askForModels(options);
}

/** Opens a WebSocket as a turn would, sends nothing, and closes it. Rejects as `probeProvider` does. */
export async function probeWebSocket(options: ProbeOptions): Promise<ProbeAnswer> {
  return await (await import('./ask.ts')).openAndClose(options);
}
