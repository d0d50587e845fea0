export type { AccountLimit, AccountSnapshot, AccountWindow } from './account/account-snapshot.ts';
export { loadAccountTools } from './account/load-account-tools.ts';
export { createCatalogSource } from './catalog/catalog-source.ts';
export type { CatalogSourceOptions } from './catalog/catalog-source-options.ts';
export type { CredentialsSource, RecoveryStep } from './credentials-source.ts';
export { createFallbackMemory, type FallbackMemory } from './fallback/fallback-memory.ts';
export { type ExhaustedLimit, RateLimitStore } from './limits/rate-limit-store.ts';
export type { UsageRequest } from './limits/usage-endpoint.ts';
export { createModelClient, type ModelClientOptions } from './model-client.ts';
export type {
  ModelClientObserver,
  RequestAttempt,
  SocketConnect,
  SocketRequest,
  StreamPoll,
  StreamProblem,
  WarmUpOutcome,
  WarmUpUse,
} from './observer.ts';
export type { ProbeAnswer, ProbeOptions } from './probe/probe-options.ts';
export { probeProvider, probeWebSocket } from './probe/probe-provider.ts';
export type { HostTraits } from './request/host-traits.ts';
export { requestUrl } from './request/url.ts';
export {
  type AuthTag,
  type AuthTags,
  environmentTags,
  type RecoveryOutcome,
  type RecoveryReport,
  type RequestAuthorization,
  type UnauthorizedEvidence,
} from './unauthorized/auth-tags.ts';
