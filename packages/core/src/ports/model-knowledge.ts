import type { ModelInfo } from '@quire/protocol';

/** What is known of models at the moment; it may be more in the next one. */
export interface ModelKnowledge {
  /** Of a name that nobody described: general values. */
  describe(name: string): ModelInfo;
  /** A response named the etag of the provider's list. Returns at once; must not throw. */
  noteEtag(etag: string): void;
}
