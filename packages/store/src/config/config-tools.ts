export {
  changeSetting,
  type SettingChange,
  type SettingChangeOptions,
  type SettingChangeOutcome,
} from './change-setting.ts';
export { configSchema, type JsonSchema } from './config-schema.ts';
export {
  type ConfigExplanation,
  type ConfigOrigin,
  configSecrets,
  type ExplainedSetting,
  explainConfig,
} from './explain-config.ts';
export { unknownFeature } from './feature-settings.ts';
export { canonicalFeatureName, FEATURES, findFeature } from './feature-table.ts';
export { isKnownKey, nearestKey } from './misspelled-keys.ts';
export { isProfileName, profileFile } from './profile-layer.ts';
export { textWithoutSecrets, wordsWithoutSecrets } from './secret-settings.ts';
export { parseKeyPath } from './setting-key.ts';
