/** `quire` in this process, for what its `exec` does not do. */
import { Quire } from '@quire/agent';
import { MODEL, providerSettings } from './programs.js';

/** @typedef {{ provider: import('./programs.js').Provider, cwd: string, env: Record<string, string> }} Place */

/** @param {Place} place */
export function openQuire({ provider, env }) {
  return new Quire({
    home: env['CODEX_HOME'] ?? '',
    environment: env,
    configOverrides: providerSettings(provider).filter((word) => word !== '-c'),
  });
}

/**
 * Opens a thread, does `work` and closes it.
 * @param {Place & { threadId: string }} place
 * @param {(thread: import('@quire/agent').AgentThread) => Promise<void>} work
 */
export async function withQuireThread({ threadId, ...place }, work) {
  const thread = await openQuire(place).resumeThread(
    { kind: 'id', id: threadId },
    { workingDirectory: place.cwd, model: MODEL, sandboxMode: 'danger-full-access' },
  );
  try {
    await work(thread);
  } finally {
    await thread.close();
  }
}
