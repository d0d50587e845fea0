import type { MarkedText } from './expand-braces.ts';

/** A word of a script, quotes removed. */
export interface FinishedWord {
  readonly text: string;
  readonly isKnown: boolean;
  readonly isQuoted: boolean;
}

/** A word that is being read. */
export class DraftWord implements MarkedText {
  text = '';
  /** One letter for each of `text`: `u` bare, `q` quoted, `s` a blank at which the shell splits. */
  marks = '';
  isKnown = true;
  isQuoted = false;

  add(text: string, mark: 'u' | 'q'): void {
    this.text += text;
    this.marks += mark.repeat(text.length);
  }

  /** The value of a variable outside of quotes: blanks in it part words. */
  addSplit(text: string): void {
    this.text += text;
    this.marks += text.replace(/\S/g, 'q').replace(/\s/g, 's');
  }
}
