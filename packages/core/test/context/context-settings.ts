import type { MessageItem, ModelInfo, ResponseItem } from '@quire/protocol';
import { findModel } from '../../src/model/catalog.ts';
import type { ThreadSettings } from '../../src/thread/settings.ts';
import { settings } from '../thread/harness.ts';

/** Plain settings of a thread; a test changes what it is about. */
export function contextSettings(changes: Partial<ThreadSettings> = {}): ThreadSettings {
  const { environment, compaction } = settings();
  return settings({
    model: findModel('gpt-5.1-codex'),
    baseInstructions: 'Base instructions.',
    compaction: { ...compaction, strategies: [], ledger: false },
    environment: { ...environment, timezone: 'Europe/Berlin' },
    reasoningEffort: undefined,
    streamMaxRetries: 0,
    ...changes,
  });
}

export function modelNamed(slug: string, changes: Partial<ModelInfo> = {}): ModelInfo {
  return { ...findModel('gpt-5.1-codex'), slug, ...changes };
}

export function userText(text: string): MessageItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

export function developerText(...texts: readonly string[]): MessageItem {
  return { type: 'message', role: 'developer', content: texts.map((text) => ({ type: 'input_text', text })) };
}

/** Texts by role, as the model reads them. */
export function textsOf(messages: readonly ResponseItem[]): readonly (readonly [role: string, ...texts: string[]])[] {
  return messages.flatMap((message) =>
    message.type === 'message'
      ? [[message.role, ...message.content.map((part) => (part.type === 'input_text' ? part.text : `[${part.type}]`))]]
      : [],
  ) as readonly (readonly [string, ...string[]])[];
}
