export { createCatalogCache } from './catalog/catalog-cache.ts';
export { readCatalogFile } from './catalog/read-catalog-file.ts';
export type { ShellEnvironmentPolicy } from './config/command-settings.ts';
export { ConfigError, type ConfigErrorCode, type ConfigErrorDetails } from './config/config-error.ts';
export { CONFIG_KEYS, type ConfigKey, type ConfigKeyName } from './config/config-keys.ts';
export type { ContextSettings } from './config/context-settings.ts';
export { type ConfigChange, editConfigFile } from './config/edit-config.ts';
export {
  changedFeatures,
  type FeatureSettings,
  type FeatureValues,
  featureOverrides,
  isFeatureEnabled,
} from './config/feature-settings.ts';
export type { Feature, FeatureStage } from './config/feature-table.ts';
export { type Config, type LoadConfigOptions, loadConfig } from './config/load-config.ts';
export { loadConfigTools } from './config/load-config-tools.ts';
export type { LoginSettings } from './config/login-settings.ts';
export type { McpConfig } from './config/mcp-settings.ts';
export type { ModelSettings } from './config/model-settings.ts';
export {
  chooseOssProvider,
  isOssProviderId,
  type OssChoice,
  type OssProviderId,
} from './config/oss-provider.ts';
export type { ProjectFacts, ProjectFolder } from './config/project-layers.ts';
export { type Trust, type TrustDefaults, trustDefaults } from './config/project-trust.ts';
export type { ProviderSettings } from './config/provider-settings.ts';
export {
  type ApprovalPolicyName,
  type Constrained,
  constrainApprovalPolicy,
  constrainSandboxMode,
  type ManagedRequirements,
  type McpServerIdentity,
  type WebSearchMode,
} from './config/requirements.ts';
export type { SafetySettings } from './config/safety-settings.ts';
export { type SetProjectTrustOptions, setProjectTrust } from './config/set-project-trust.ts';
export type { TelemetryConfig, TelemetryExporter, TelemetryTls } from './config/telemetry-settings.ts';
export type { ProviderTokenCommand } from './config/token-command.ts';
export type { WebSearchConfig } from './config/web-search-settings.ts';
export { type Environment, resolveHome } from './home.ts';
export {
  archiveRollout,
  archiveThread,
  isArchived,
  unarchiveRollout,
  unarchiveThread,
} from './rollout/archive-rollout.ts';
export type { LastRateLimitsOptions, RecordedRateLimit } from './rollout/find-rate-limits.ts';
export { type FindRolloutOptions, findRollout } from './rollout/find-rollout.ts';
export { type ForkRolloutOptions, forkRollout } from './rollout/fork-rollout.ts';
export { readLastRateLimits } from './rollout/last-rate-limits.ts';
export {
  type DamageListener,
  findLastRollout,
  type ListRolloutsOptions,
  listRollouts,
  type RolloutPage,
  type RolloutSummary,
  readRolloutSummary,
} from './rollout/list-rollouts.ts';
export { createMemoryRollout } from './rollout/memory-rollout.ts';
export {
  type BackwardReading,
  type ReadBackwardsOptions,
  readRolloutBackwards,
} from './rollout/read-backwards.ts';
export { createRedactor, type KnownValues, type Redactor } from './rollout/redact.ts';
export { RolloutError, type RolloutErrorCode } from './rollout/rollout-error.ts';
export {
  type CreateRolloutOptions,
  createRollout,
  type OpenRolloutOptions,
  openRollout,
  type RolloutFile,
} from './rollout/rollout-file.ts';
export { type NameThreadOptions, setThreadName } from './rollout/thread-names.ts';
export { checkRules, type RulesCheck } from './rules/check-rules.ts';
export type { CommandRulesOptions } from './rules/command-rules-options.ts';
export { createCommandRules } from './rules/create-command-rules.ts';
export { loadRefusals } from './unauthorized/load-refusals.ts';
export type { RefusalRecord } from './unauthorized/refusal-file.ts';
