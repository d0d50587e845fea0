import type { Confinement } from '../ports/command-runner.ts';
import type { ThreadSettings } from '../thread/settings.ts';

/** What a command may touch that runs under the settings, without anybody being asked. */
export function confinementOf(
  settings: Pick<ThreadSettings, 'cwd' | 'sandbox' | 'temporaryRoots' | 'network'>,
): Confinement {
  const { sandbox } = settings;
  if (sandbox.mode === 'danger-full-access') return { kind: 'none' };
  if (sandbox.mode === 'read-only') return { kind: 'sandbox', writableRoots: [], network: 'off' };
  return {
    kind: 'sandbox',
    writableRoots: [settings.cwd, ...sandbox.writableRoots, ...settings.temporaryRoots],
    network: !sandbox.networkAccess ? 'off' : settings.network.allowedHosts === undefined ? 'on' : 'proxied',
  };
}
