import type { ModelInfo } from '@quire/protocol';

/** What is configured, else the model's default; nothing for a model that has no verbosity. */
export function resolveVerbosity(model: ModelInfo, configured: string | undefined): string | undefined {
  return model.supportsVerbosity ? (configured ?? model.defaultVerbosity) : undefined;
}

/** For people: a verbosity was configured that this model does not take. */
export function verbosityNote(model: ModelInfo, configured: string | undefined): string | undefined {
  if (configured === undefined || model.supportsVerbosity) return undefined;
  return `${model.slug} takes no verbosity; ${configured} is left out.`;
}
