/** Absolute paths of PEM files, for the connections of one dialer. */
export interface TlsFiles {
  /** Authorities to trust beside those that are trusted anyway. */
  readonly caCertificate?: string | undefined;
  /** Who this side is, for servers that ask; both or none. */
  readonly clientCertificate?: string | undefined;
  readonly clientPrivateKey?: string | undefined;
}
