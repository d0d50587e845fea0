export type SimulatorErrorCode =
  /** `close()` found violations, unexpected requests or unused steps. */
  | 'expectations-not-met'
  /** A script or an option is not what it must be. */
  | 'invalid-script'
  /** The server could not listen. */
  | 'not-started'
  /** The simulator was closed while something waited for a request. */
  | 'closed'
  /** What was waited for did not happen in time. */
  | 'wait-timeout';

/** What the simulator throws. `problems` lists each finding; the message holds them all. */
export class SimulatorError extends Error {
  override readonly name = 'SimulatorError';
  readonly code: SimulatorErrorCode;
  readonly problems: readonly string[];

  constructor(
    code: SimulatorErrorCode,
    message: string,
    options: { readonly problems?: readonly string[]; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.problems = options.problems ?? [];
  }
}
