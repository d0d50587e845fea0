import fs from 'node:fs/promises';
import { describeSystemError } from '@quire/files';
import type { CompactionStrategyName } from '@quire/protocol';
import type { SettingReader } from './setting-reader.ts';

export interface CompactionConfig {
  /** Absent: what suits the provider. Empty: nothing is ever compacted. */
  readonly compactionStrategies: readonly CompactionStrategyName[] | undefined;
  readonly compactionDeadlineSeconds: number;
  readonly compactionLedger: boolean;
  /** Replaces the built-in request for a summary. */
  readonly compactPrompt: string | undefined;
  /** Tokens. */
  readonly modelAutoCompactTokenLimit: number | undefined;
}

const STRATEGIES: readonly CompactionStrategyName[] = ['endpoint', 'trigger', 'local', 'trim'];
const DEFAULT_DEADLINE_SECONDS = 180;
/** A day. */
const LONGEST_DEADLINE_SECONDS = 86_400;

export async function readCompactionSettings(reader: SettingReader): Promise<CompactionConfig> {
  reader.requireTable('compaction');
  return {
    compactionStrategies: readStrategies(reader),
    compactionDeadlineSeconds:
      reader.integer({ key: 'compaction.deadline_seconds' }, { minimum: 1, cap: LONGEST_DEADLINE_SECONDS }) ??
      DEFAULT_DEADLINE_SECONDS,
    compactionLedger: reader.boolean({ key: 'compaction.ledger' }) ?? true,
    compactPrompt: await readCompactPrompt(reader),
    modelAutoCompactTokenLimit: reader.integer({ key: 'model_auto_compact_token_limit' }, { minimum: 1 }),
  };
}

function readStrategies(reader: SettingReader): readonly CompactionStrategyName[] | undefined {
  const setting = { key: 'compaction.strategies' } as const;
  const names = reader.stringList(setting);
  return names?.map((name) => {
    const strategy = STRATEGIES.find((known) => known === name);
    if (strategy !== undefined) return strategy;
    throw reader.invalid(setting, `may hold ${STRATEGIES.join(', ')}, found ${JSON.stringify(name)}`);
  });
}

/** Blank counts as not set. */
async function readCompactPrompt(reader: SettingReader): Promise<string | undefined> {
  const inline = reader.string({ key: 'compact_prompt' })?.trim();
  if (inline !== undefined && inline !== '') return inline;
  const setting = { key: 'experimental_compact_prompt_file' } as const;
  const file = reader.path(setting);
  if (file === undefined) return undefined;
  try {
    const text = (await fs.readFile(file, 'utf8')).trim();
    return text === '' ? undefined : text;
  } catch (cause) {
    throw reader.invalid(setting, `names ${file}, which can not be read: ${describeSystemError(cause)}`, cause);
  }
}
