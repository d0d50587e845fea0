export type RulesErrorCode =
  /** The text is not in the part of the language that is understood. */
  | 'syntax'
  /** A call with wrong arguments. */
  | 'invalid-rule'
  /** An example of a rule does not hold. */
  | 'example';

/** A place in a rules file, counted from 1. */
export interface RulesPlace {
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

/** A rules file that can not be used. The message names file, line and column and says what to do. */
export class RulesError extends Error {
  override readonly name = 'RulesError';
  readonly code: RulesErrorCode;
  readonly place: RulesPlace;

  constructor(code: RulesErrorCode, problem: string, place: RulesPlace) {
    super(`${place.source}:${place.line}:${place.column}: ${problem}`);
    this.code = code;
    this.place = place;
  }
}
