/** One command of an attempt. A text is a script for `/bin/sh`. */
export type Step = string | CommandStep;

export interface CommandStep {
  /** The script, for `/bin/sh` or with `got`, `sc` and `let_through` for perl (see perl-prelude.ts). */
  readonly sh?: string;
  readonly perl?: string;
  /** `outside`: somebody else does it, between two commands; never confined. */
  readonly by?: 'outside';
  /** The next step does not wait for this one. */
  readonly runsOn?: true;
  /** Confined by another owner, as a second program in the same folder does it. */
  readonly owner?: 'second';
  /** A file of the place that is its standard input, opened for reading only. */
  readonly stdin?: string;
  /** A file of the place that it has open as well when nothing confines it, in place of what a sandbox leaves open. */
  readonly inherits?: string;
  /** It has a terminal; what is typed there on its own, is seen. */
  readonly terminal?: true;
}

/**
 * One attempt to get out. What it did is looked for from outside, see stage.ts: files elsewhere or protected ones that
 * changed, something received by a server, a process that was touched; or `got` in the root, which the attempt writes
 * when a call came through that has no business to.
 */
export interface Attempt {
  readonly id: string;
  readonly title: string;
  /** Script for `/bin/sh`, run in the place from outside before anything else. */
  readonly prepare?: string;
  readonly steps: readonly Step[];
  /** Default: off. `proxied`: to `allowed.invalid` only. */
  readonly network?: 'on' | 'proxied';
  /** Relative to the place. Default: `root`, which is the working directory. */
  readonly roots?: readonly string[];
  readonly cwd?: string;
  /** `PLACE` in a value stands for the path of the place. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What lives beside the attempt. */
  readonly beside?: 'server' | 'victim';
  /** Further paths of the place that are to stay as they are. */
  readonly guards?: readonly string[];
  /** Programs without which the attempt can not be made. */
  readonly needs?: readonly string[];
  /** Why it can fail unconfined, on some machines. */
  readonly canFailUnconfined?: string;
}
