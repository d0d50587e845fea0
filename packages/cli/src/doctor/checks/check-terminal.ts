import { wantsColor } from '../../exec/style.ts';
import { type CheckResult, resultOf, skipped } from '../check.ts';

const CHECK = 'terminal';

export interface TerminalFacts {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What the terminal that shows this can do. */
export function checkTerminal({ isTerminal, columns, environment }: TerminalFacts): CheckResult {
  if (!isTerminal) return skipped(CHECK, 'the output does not go to a terminal');
  const color = wantsColor({ choice: 'auto', isTerminal, environment });
  const name = environment['TERM_PROGRAM'] || environment['TERM'] || 'unknown';
  const isUtf8 = /utf-?8/i.test(environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '');
  return resultOf(CHECK, {
    summary: `${name}, ${columns ?? 'unknown'} columns, ${color ? 'with' : 'without'} colours`,
    details: [],
    findings:
      isUtf8 || process.platform === 'win32' || process.platform === 'darwin'
        ? []
        : [
            {
              verdict: 'warning',
              text: 'the locale is not UTF-8, so that bars and other characters may be garbled',
              remedy: 'set LANG to a UTF-8 locale, such as C.UTF-8',
            },
          ],
  });
}
