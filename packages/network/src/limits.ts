/**
 * Longest wait for a TCP connection, so that a network that swallows packets is known soon; the time that
 * an answer may take is another matter and belongs to the caller. Unit: milliseconds.
 */
export const TCP_TIMEOUT_MS = 15_000;

/** Longest TLS handshake. Unit: milliseconds. */
export const TLS_TIMEOUT_MS = 15_000;

/** A proxy that has not opened its connection after half a minute has given up on it, or soon will. */
export const PROXY_ANSWER_TIMEOUT_MS = 30_000;

/**
 * How sockets are opened. Several addresses of a name are tried one after the other; each but the last gets
 * this long before the next is tried. With Node's 250 ms a far server is lost when the last address, of the
 * other family, leads nowhere.
 */
export const TCP_OPTIONS = { noDelay: true, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 500 } as const;
