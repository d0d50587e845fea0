import type { Environment } from '../environment.ts';
import type { WayReport } from './way-report.ts';

/**
 * Connects to the origin of `url` (http, https, ws, wss) as a dialer would, sends nothing, and tells how far that came.
 * A failure is a part of the report; rejects only with the reason of the signal. Nothing stays open.
 */
export async function probeWay(
  url: URL,
  options: { readonly environment: Environment; readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<WayReport> {
  const { walk } = await import('./walk.ts');
  return await walk(url, options);
}
