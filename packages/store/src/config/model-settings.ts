import fs from 'node:fs/promises';
import { describeSystemError } from '@quire/files';
import type { Personality } from '@quire/protocol';
import type { SettingReader } from './setting-reader.ts';

export interface ModelSettings {
  /** Absent: the default of the catalog. */
  readonly model: string | undefined;
  /** Any word: models add their own. */
  readonly modelReasoningEffort: string | undefined;
  /** In plan mode. Absent: as otherwise. */
  readonly planModeReasoningEffort: string | undefined;
  readonly modelReasoningSummary: 'auto' | 'concise' | 'detailed' | 'none' | undefined;
  readonly modelVerbosity: 'low' | 'medium' | 'high' | undefined;
  readonly modelSupportsReasoningSummaries: boolean | undefined;
  /** Tokens. */
  readonly modelContextWindow: number | undefined;
  /** Absolute. A file whose list of models stands in for the catalog. */
  readonly modelCatalogFile: string | undefined;
  readonly serviceTier: string | undefined;
  /** The text of `model_instructions_file`, else `instructions`. Replaces the base instructions. */
  readonly baseInstructions: string | undefined;
  readonly developerInstructions: string | undefined;
  readonly hideAgentReasoning: boolean;
  readonly showRawAgentReasoning: boolean;
  readonly personality: Personality | undefined;
  /** Model of reviews. Absent: the current one. */
  readonly reviewModel: string | undefined;
}

const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra'] as const;
const PLAIN_WORD = /^[A-Za-z][A-Za-z0-9_-]*$/;

export async function readModelSettings(reader: SettingReader, warnings: string[]): Promise<ModelSettings> {
  return {
    model: reader.nonEmptyString({ key: 'model' }),
    modelReasoningEffort: readReasoningEffort(reader, 'model_reasoning_effort', warnings),
    planModeReasoningEffort: readReasoningEffort(reader, 'plan_mode_reasoning_effort', warnings),
    modelReasoningSummary: reader.oneOf({ key: 'model_reasoning_summary' }, ['auto', 'concise', 'detailed', 'none']),
    modelVerbosity: reader.oneOf({ key: 'model_verbosity' }, ['low', 'medium', 'high']),
    modelSupportsReasoningSummaries: reader.boolean({ key: 'model_supports_reasoning_summaries' }),
    modelContextWindow: reader.integer({ key: 'model_context_window' }, { minimum: 1 }),
    modelCatalogFile: reader.path({ key: 'model_catalog_json' }),
    serviceTier: reader.nonEmptyString({ key: 'service_tier' }),
    baseInstructions: await readBaseInstructions(reader),
    developerInstructions: reader.string({ key: 'developer_instructions' }),
    hideAgentReasoning: reader.boolean({ key: 'hide_agent_reasoning' }) ?? false,
    showRawAgentReasoning: reader.boolean({ key: 'show_raw_agent_reasoning' }) ?? false,
    personality: reader.oneOf({ key: 'personality' }, ['none', 'friendly', 'pragmatic']),
    reviewModel: reader.nonEmptyString({ key: 'review_model' }),
  };
}

/** A model may know a word that is not known here, so another word is passed on; what is no word is an error. */
function readReasoningEffort(
  reader: SettingReader,
  key: 'model_reasoning_effort' | 'plan_mode_reasoning_effort',
  warnings: string[],
): string | undefined {
  const setting = { key };
  const effort = reader.nonEmptyString(setting);
  if (effort === undefined || REASONING_EFFORTS.some((known) => known === effort)) return effort;
  const known = REASONING_EFFORTS.join(', ');
  if (!PLAIN_WORD.test(effort)) throw reader.invalid(setting, `must be one word, such as ${known}`);
  warnings.push(`${key}: ${effort} is passed on as it is; the known words are ${known}`);
  return effort;
}

async function readBaseInstructions(reader: SettingReader): Promise<string | undefined> {
  const inline = reader.string({ key: 'instructions' });
  const setting = { key: 'model_instructions_file' } as const;
  const file = reader.path(setting);
  if (file === undefined) return inline;
  let text: string;
  try {
    text = (await fs.readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw reader.invalid(setting, `names ${file}, which can not be read: ${describeSystemError(cause)}`, cause);
  }
  if (text === '') throw reader.invalid(setting, `names ${file}, which holds no text`);
  return text;
}
