import type { EgressProxy, EgressProxyOptions } from './egress-types.ts';

/**
 * Starts a proxy for HTTP and for tunnels (CONNECT) that lets through what is allowed, and does not keep this process
 * alive. Rejects with an error of the system when nothing can be listened on.
 */
export async function openEgressProxy(options: EgressProxyOptions): Promise<EgressProxy> {
  const { startEgressProxy } = await import('./egress-proxy.ts');
  return startEgressProxy(options);
}
