import type { JsonObject } from './json.ts';
import type { RateLimitSnapshot } from './rate-limits.ts';
import type { RequestReceipt } from './request-receipt.ts';
import type { ResponseItem } from './response-item.ts';
import type { TokenUsage } from './token-usage.ts';

/**
 * What a model stream says, whichever dialect (SSE, WebSocket, chat completions) carried it.
 * Failures are not events: they are thrown as `ModelError`.
 */
export type ModelEvent =
  | { readonly kind: 'response-start'; readonly responseId: string | undefined }
  | { readonly kind: 'item-start'; readonly item: ResponseItem }
  | { readonly kind: 'item-end'; readonly item: ResponseItem }
  | { readonly kind: 'text-delta'; readonly itemId: string | undefined; readonly delta: string }
  | {
      readonly kind: 'reasoning-summary-delta';
      readonly itemId: string | undefined;
      readonly delta: string;
      readonly summaryIndex: number;
    }
  | {
      readonly kind: 'reasoning-summary-part-start';
      readonly itemId: string | undefined;
      readonly summaryIndex: number;
    }
  | {
      readonly kind: 'reasoning-summary-end';
      readonly itemId: string;
      readonly text: string;
      readonly summaryIndex: number;
    }
  | {
      readonly kind: 'reasoning-content-delta';
      readonly itemId: string | undefined;
      readonly delta: string;
      readonly contentIndex: number;
    }
  | {
      readonly kind: 'tool-input-delta';
      /** Item id or call id, whichever the event named. */
      readonly itemId: string;
      readonly delta: string;
    }
  | {
      readonly kind: 'response-end';
      readonly responseId: string;
      readonly usage: TokenUsage | undefined;
      /** `false`: the server wants another request in this turn. Absent and `true` mean the turn may end. */
      readonly endTurn: boolean | undefined;
    }
  | { readonly kind: 'server-model'; readonly model: string }
  | { readonly kind: 'rate-limits'; readonly snapshot: RateLimitSnapshot }
  | { readonly kind: 'models-etag'; readonly etag: string }
  | { readonly kind: 'server-reasoning-included' }
  /** Nothing from the model for so long, while the server answers pings: it thinks, the line is fine. */
  | { readonly kind: 'model-silent'; readonly silentMs: number; readonly peerAlive: true }
  /** The thread goes on over HTTP. `cause` is for a person: what was wrong with the WebSocket. */
  | { readonly kind: 'transport-fallback'; readonly from: 'websocket'; readonly to: 'http'; readonly cause: string }
  /** The last event of a request, also of one that then fails. */
  | { readonly kind: 'receipt'; readonly receipt: RequestReceipt }
  | { readonly kind: 'unknown'; readonly type: string; readonly raw: JsonObject };
