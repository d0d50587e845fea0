/** Longest message of a server; a longer one ends it. */
export const MESSAGE_MAX_BYTES = 16 * 1024 * 1024;
/** What a server may leave unread of what it is told; one that leaves more is ended. */
export const UNREAD_MAX_BYTES = 16 * 1024 * 1024;
/** Messages that nobody asked for, and lines that are no messages, within a window; more end the server. */
export const UNASKED_MAX = 10_000;
export const UNASKED_WINDOW_MS = 10_000;
/** Tools of one server that are taken. */
export const TOOLS_MAX = 1_024;
/** Largest description of one tool, as JSON. */
export const TOOL_MAX_CHARACTERS = 256 * 1024;
/** Pages of a list that are read by themselves. */
export const PAGES_MAX = 64;

/** Source: the peer's defaults. */
export const STARTUP_TIMEOUT_MS = 10_000;
export const TOOL_TIMEOUT_MS = 60_000;

/** How long a server may take to end by itself once its input is closed. */
export const STOP_GRACE_MS = 200;
/** Starts after a server went away, until it is left alone. */
export const RESTARTS_MAX = 3;
/** Wait before the first of them; each next one waits four times as long. */
export const RESTART_DELAY_MS = 250;
/** A server that lasted so long may fail again as often as before. */
export const STABLE_AFTER_MS = 60_000;
/** Changes of the list of tools within this time are one. */
export const TOOLS_CHANGED_DELAY_MS = 50;
/** The output that a server leaves behind when it exits may come late. */
export const DRAIN_MS = 200;
