import type { Tool } from './tool.ts';

/** Tools that may come and go while a thread lives: of servers, of the embedding program, of a kernel. */
export interface ToolSource {
  /** What is there now, in the order of offering; the very same array as long as nothing changed. */
  readonly tools: readonly Tool[];
}
