export { catalogEntry } from './catalog-entry.ts';
export { type CollectorOptions, OtlpCollector } from './collector/collector.ts';
export type { CollectorAnswer, ReceivedExport } from './collector/collector-desk.ts';
export type { ReceivedLog, ReceivedMetric, ReceivedSpan, TelemetrySignal } from './collector/read-records.ts';
export { brokenCompactions } from './compact/broken-compactions.ts';
export {
  type CompactionAnswers,
  compactAsServer,
  compactAsServerStream,
  compacted,
  serverCompaction,
} from './compact/default-compaction.ts';
export { isCompactionTrigger } from './compact/is-compaction-trigger.ts';
export type { AllowRewrite } from './invariants/thread-history.ts';
export { ACCOUNTS, type SimulatedAccount } from './oauth/account.ts';
export { encodeJwt } from './oauth/jwt.ts';
export type { OAuthEndpoint, OAuthOptions, RecordedOAuthRequest } from './oauth/oauth-options.ts';
export type { HeldAnswer, OAuthServer } from './oauth/oauth-server.ts';
export type { IssuedTokens } from './oauth/token-vault.ts';
export { precompute } from './precompute.ts';
export {
  type ConnectProxy,
  type ConnectProxyOptions,
  type ProxyRequest,
  startConnectProxy,
} from './proxies/connect-proxy.ts';
export type { Endpoint, ProxyCredentials, ProxyServer } from './proxies/proxy-server.ts';
export { type SocksProxy, type SocksProxyOptions, type SocksRequest, startSocksProxy } from './proxies/socks-proxy.ts';
export type {
  RecordedHandshake,
  RecordedModelsRequest,
  RecordedRequest,
  RecordedToolOutput,
  RecordedUsageRequest,
  Transport,
} from './recorded-request.ts';
export {
  createDemoProject,
  DEMO_VARIANTS,
  type DemoFile,
  type DemoProject,
  type DemoVariant,
  type DemoVariantName,
} from './rehearsal/demo-project.ts';
export { createRepairRehearsal, type RepairRehearsalOptions } from './rehearsal/repair-rehearsal.ts';
export { everyEvent } from './script/every-event.ts';
export {
  blackHole,
  closeAfterEvents,
  cutAfterBytes,
  cutAfterEvents,
  delay,
  endAfterBytes,
  endAfterEvents,
  keepOpen,
  missingCompletion,
  refuse,
  reset,
  type StatusOptions,
  slowChunks,
  stall,
  status,
} from './script/faults.ts';
export { type AcceptOptions, acceptUpgrade, refuseUpgrade } from './script/handshake.ts';
export {
  type CallOptions,
  compaction,
  customToolCall,
  functionCall,
  type ReasoningOptions,
  rawItem,
  reasoning,
  type TextOptions,
  text,
  webSearch,
} from './script/items.ts';
export { type LoadedScript, loadScript } from './script/load-script.ts';
export {
  binaryFrame,
  comment,
  event,
  malformedEvent,
  type Output,
  pause,
  ping,
  rawBytes,
} from './script/output.ts';
export { type ItemRefusal, refuseItems } from './script/refuse-items.ts';
export {
  type CompletedOptions,
  completed,
  DEFAULT_USAGE,
  failed,
  incomplete,
  type RespondOptions,
  respond,
  respondExactly,
  type Usage,
} from './script/respond.ts';
export { type Rehearsal, rehearse } from './script/script.ts';
export {
  connectionLimitReached,
  type ErrorEventOptions,
  errorEvent,
  type LimitCredits,
  type Limits,
  type LimitWindow,
  modelsEtag,
  previousResponseNotFound,
  rateLimitHeaders,
  rateLimits,
  responseMetadata,
  serverModel,
  turnState,
  websocketTiming,
} from './script/side-information.ts';
export {
  type AcceptUpgrade,
  type Answer,
  type AnswerContext,
  type BodyPosition,
  type CloseFrame,
  type ConditionalStep,
  type Delivery,
  type EventPart,
  type HandshakeStep,
  type NoAnswer,
  type StatusAnswer,
  type Step,
  type StepFunction,
  type StopManner,
  type StreamAnswer,
  type StreamPart,
  when,
} from './script/step.ts';
export { usageReport } from './script/usage-report.ts';
export type { Outcome } from './server/deliver.ts';
export { Simulator } from './simulator.ts';
export { SimulatorError, type SimulatorErrorCode } from './simulator-error.ts';
export type { SimulatorOptions, Transports } from './simulator-options.ts';
export { renderHistoryChange } from './snapshot/render-history-change.ts';
export type { RenderOptions } from './snapshot/render-options.ts';
export { type RenderedRequest, type RenderRequestsOptions, renderRequests } from './snapshot/render-requests.ts';
export {
  type CertificateAuthority,
  type CertificateOptions,
  createCertificateAuthority,
  type ServerCertificate,
} from './tls/certificate-authority.ts';
export type { WaitOptions } from './waiting.ts';
export type { SimulatedWebSocket, WebSocketEnd } from './websocket/web-socket-handle.ts';
