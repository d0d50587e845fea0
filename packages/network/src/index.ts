export { type ConnectOptions, createDialer, type Dialer, type DialerOptions } from './dialer.ts';
export type { DialerLog } from './dialer-log.ts';
export type { EgressProxy, EgressProxyOptions } from './egress/egress-types.ts';
export { openEgressProxy } from './egress/open-egress-proxy.ts';
export type { Environment } from './environment.ts';
export { toNetworkError } from './failure.ts';
export { type LoopbackListener, type LoopbackPage, listenOnLoopback } from './loopback/listen-on-loopback.ts';
export { NetworkError, type NetworkErrorCode, type NetworkErrorDetails } from './network-error.ts';
export type { OpenOptions, Route } from './route/route.ts';
