import type { LookupAddress } from 'node:dns';

export interface EgressProxyOptions {
  /**
   * What may be reached: names of hosts and addresses, `*.name` for every host below `name`, each with `:PORT` for one
   * port only. Letters count without their case.
   */
  readonly allowedHosts: readonly string[];
  /** Every address of a host. Default: the resolver of the system. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
}

export interface EgressProxy {
  /** On 127.0.0.1. */
  readonly port: number;
  /** The same proxy. Absolute, in a folder that only this user can look into. */
  readonly socketPath: string;
  /** Ends what is under way. Twice is fine. */
  close(): Promise<void>;
}
