import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '@quire/protocol';
import type { ReceivedRecords, TelemetrySignal } from './read-records.ts';

/** What a collector answers with; without one it takes everything. */
export type CollectorAnswer =
  | { readonly kind: 'hang' }
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** `retryAfterMs` is told in the details of the status. */
  | { readonly kind: 'grpc'; readonly status: number; readonly retryAfterMs?: number }
  /** It takes all but this many records. */
  | { readonly kind: 'partial'; readonly rejected: number };

export interface ReceivedExport {
  readonly signal: TelemetrySignal;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** In its JSON form. */
  readonly message: JsonObject;
  readonly records: ReceivedRecords;
}

/** What a transport received and how it is to answer. */
export interface CollectorDesk {
  /** `undefined`: a good answer. */
  receive(received: Pick<ReceivedExport, 'path' | 'headers' | 'body'>): {
    readonly signal: TelemetrySignal | undefined;
    readonly answer: CollectorAnswer | undefined;
  };
}
