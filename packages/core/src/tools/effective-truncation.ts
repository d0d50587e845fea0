import type { TruncationPolicy } from '@quire/protocol';
import type { ThreadSettings } from '../thread/settings.ts';

/** The model's policy with the configured amount put in: tokens as they are, bytes at four a token. */
export function effectiveTruncation(
  settings: Pick<ThreadSettings, 'model' | 'toolOutputTokenLimit'>,
): TruncationPolicy {
  const policy = settings.model.truncation;
  const tokens = settings.toolOutputTokenLimit;
  if (tokens === undefined) return policy;
  return { mode: policy.mode, limit: policy.mode === 'tokens' ? tokens : tokens * 4 };
}
