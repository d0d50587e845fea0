/** Exit codes of the command. Documented in `docs/exec.md` and in `quire exec --help`. */
export const EXIT = {
  completed: 0,
  failed: 1,
  usage: 2,
  /** 128 + SIGHUP. */
  hangup: 129,
  /** 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGPIPE: the reader of stdout went away. */
  outputClosed: 141,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;
