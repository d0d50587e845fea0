export interface FileDigest {
  /** Hex, the first 12 digits of the SHA-256 of the bytes. */
  readonly hash: string;
  readonly bytes: number;
}

/** Tells whether a file is still the one that was read. */
export interface FileDigests {
  /** `undefined` when there is no regular file, or it is larger than what is worth reading (8 MiB). Never rejects but for `signal`. */
  digest(path: string, options: { readonly signal: AbortSignal }): Promise<FileDigest | undefined>;
}
