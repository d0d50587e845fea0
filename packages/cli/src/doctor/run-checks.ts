import { type CheckResult, skipped } from './check.ts';
import { checkCatalog } from './checks/check-catalog.ts';
import { checkConfig } from './checks/check-config.ts';
import { checkCredentials } from './checks/check-credentials.ts';
import { checkDisk } from './checks/check-disk.ts';
import { checkInstallation } from './checks/check-installation.ts';
import { checkClock, checkHttp, checkWebSocket } from './checks/check-provider.ts';
import { checkSandbox } from './checks/check-sandbox.ts';
import { checkServers } from './checks/check-servers.ts';
import { checkTelemetry } from './checks/check-telemetry.ts';
import { checkTerminal } from './checks/check-terminal.ts';
import { checkWay } from './checks/check-way.ts';
import type { Scene } from './scene.ts';

interface Check {
  readonly id: string;
  /** It connects to something. */
  readonly isOnline?: true;
  readonly run: (scene: Scene) => Promise<CheckResult>;
}

/** In the order in which they are shown. */
const CHECKS: readonly Check[] = [
  {
    id: 'installation',
    run: ({ environment }) => checkInstallation({ nodeVersion: process.version, environment, script: process.argv[1] }),
  },
  { id: 'config', run: checkConfig },
  { id: 'credentials', run: checkCredentials },
  { id: 'dns', isOnline: true, run: (scene) => checkWay('dns', scene) },
  { id: 'tcp', isOnline: true, run: (scene) => checkWay('tcp', scene) },
  { id: 'proxy', isOnline: true, run: (scene) => checkWay('proxy', scene) },
  { id: 'tls', isOnline: true, run: (scene) => checkWay('tls', scene) },
  { id: 'http', isOnline: true, run: checkHttp },
  { id: 'websocket', isOnline: true, run: checkWebSocket },
  { id: 'clock', isOnline: true, run: checkClock },
  { id: 'catalog', run: checkCatalog },
  { id: 'sandbox', run: checkSandbox },
  { id: 'disk', run: checkDisk },
  { id: 'mcp', run: checkServers },
  { id: 'telemetry', run: checkTelemetry },
  {
    id: 'terminal',
    run: async ({ environment }) => {
      const { columns, isTTY } = process.stdout;
      return checkTerminal({ isTerminal: isTTY === true, columns, environment });
    },
  },
];

export interface Examination {
  readonly checks: readonly CheckResult[];
  /** `false`: a check was given up, and something of it may still be under way. */
  readonly isOver: boolean;
}

/** All checks at once. Never rejects: what goes wrong is a verdict; what takes longer than the signal allows is given up. */
export async function runChecks(scene: Scene): Promise<Examination> {
  const { signal, choices } = scene;
  let isOver = true;
  const abort = abortOf(signal);
  const bounded = async ({ id, isOnline, run }: Check): Promise<CheckResult> => {
    if (isOnline && choices.offline) return skipped(id, 'nothing is connected to (--offline)');
    try {
      return await Promise.race([run(scene), abort.promise]);
    } catch (error) {
      if (signal.aborted) isOver = false;
      return failure(id, error, signal);
    }
  };
  try {
    return { checks: await Promise.all(CHECKS.map(bounded)), isOver };
  } finally {
    abort.forget();
  }
}

/** One listener for all checks. */
function abortOf(signal: AbortSignal): { readonly promise: Promise<never>; forget(): void } {
  let forget = (): void => undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    forget = () => signal.removeEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
  // Those who race with it hear of it; there may be none.
  promise.catch(() => undefined);
  return { promise, forget };
}

function failure(id: string, error: unknown, signal: AbortSignal): CheckResult {
  const summary = signal.aborted
    ? 'it took too long and was given up'
    : `could not be checked: ${error instanceof Error ? error.message : String(error)}`;
  const remedy = signal.aborted ? 'look whether a disk, a keyring or the network hangs' : 'correct what is named there';
  return { id, verdict: 'failed', summary, details: [], remedy };
}
