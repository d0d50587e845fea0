import type { ConnectionStage } from '../connect/open-connection.ts';
import type { NetworkError } from '../network-error.ts';

/** One part of the way to a server. */
export type WayStage =
  | { readonly name: ConnectionStage; readonly outcome: 'passed'; readonly durationMs: number }
  | {
      readonly name: ConnectionStage;
      readonly outcome: 'failed';
      readonly durationMs: number;
      readonly error: NetworkError;
    }
  /** There is nothing to do in it, or an earlier one failed. */
  | { readonly name: ConnectionStage; readonly outcome: 'not-needed' | 'not-reached' };

/** Names as the certificate has them. */
export interface PeerCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** Unix milliseconds. */
  readonly validUntilMs: number;
  /** The authority at the end of the chain. */
  readonly authority: string;
  /** That authority is none of those that Node brings along. */
  readonly isPrivateAuthority: boolean;
}

/** How far a connection came, and which way it took. Holds no credential. */
export interface WayReport {
  /** `host:port` */
  readonly target: string;
  /** What the environment asks for. Absent: a direct connection. */
  readonly proxy:
    | { readonly variable: string /** `host:port` */; readonly authority: string; readonly hasCredentials: boolean }
    | undefined;
  /** There is a proxy for others, and `NO_PROXY` leaves this target out. */
  readonly isExcepted: boolean;
  /** Addresses that the name led to: of the proxy, where there is one. */
  readonly addresses: readonly string[];
  /** The file of additional authorities. Absent: none is named, or TLS was not reached. */
  readonly trust:
    | { readonly variable: string; readonly path: string; readonly certificateCount: number | undefined }
    | undefined;
  readonly certificate: PeerCertificate | undefined;
  /** In the order in which they are passed. */
  readonly stages: readonly WayStage[];
  /** What can not be used at all, such as a proxy that is no URL; no stage was begun then. */
  readonly problem: NetworkError | undefined;
}
