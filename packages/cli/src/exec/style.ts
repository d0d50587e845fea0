export type ColorChoice = 'always' | 'never' | 'auto';

/** Whether a stream gets colours. `NO_COLOR` and `FORCE_COLOR` count only for `auto`. */
export function wantsColor(options: {
  readonly choice: ColorChoice;
  readonly isTerminal: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): boolean {
  if (options.choice !== 'auto') return options.choice === 'always';
  const { NO_COLOR: noColor, FORCE_COLOR: forceColor, TERM: term } = options.environment;
  if (noColor !== undefined && noColor !== '') return false;
  if (forceColor !== undefined && forceColor !== '') return forceColor !== '0' && forceColor !== 'false';
  return options.isTerminal && term !== 'dumb';
}

type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly italic: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

/** Select Graphic Rendition codes, or the text as it is. */
export function createStyle(options: { readonly color: boolean }): Style {
  const paint = (on: number, off: number): Paint =>
    options.color ? (text) => `\u001b[${on}m${text}\u001b[${off}m` : (text) => text;
  return {
    bold: paint(/* on */ 1, /* off */ 22),
    dim: paint(/* on */ 2, /* off */ 22),
    italic: paint(/* on */ 3, /* off */ 23),
    red: paint(/* on */ 31, /* off */ 39),
    green: paint(/* on */ 32, /* off */ 39),
    yellow: paint(/* on */ 33, /* off */ 39),
    cyan: paint(/* on */ 36, /* off */ 39),
  };
}
