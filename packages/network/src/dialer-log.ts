/** What a dialer tells about its work, for a log. No record holds a credential. */
export type DialerLog =
  | {
      readonly kind: 'certificates-loaded';
      /** Which environment variable named the file. */
      readonly variable: string;
      readonly path: string;
      readonly certificateCount: number;
      /** Of these, OpenSSL's `TRUSTED CERTIFICATE` sections. */
      readonly trustedCount: number;
      /** Revocation lists in the file, which are not used. */
      readonly crlCount: number;
    }
  | {
      readonly kind: 'certificates-failed';
      readonly variable: string;
      readonly path: string;
      readonly message: string;
    }
  | {
      readonly kind: 'proxy-selected';
      readonly variable: string;
      /** `host:port` */
      readonly proxy: string;
      /** `host:port` */
      readonly target: string;
    };
