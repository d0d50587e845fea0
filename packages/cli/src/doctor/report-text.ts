import { safeLine } from '../exec/safe-text.ts';
import type { Style } from '../exec/style.ts';
import { type CheckResult, type CheckVerdict, counted } from './check.ts';

export interface Page {
  readonly style: Style;
  /** Columns to break lines at. Absent: lines are not broken. */
  readonly width: number | undefined;
}

const MARKS: Readonly<Record<CheckVerdict, string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'FAILED',
  skipped: 'skipped',
};

/** The checks for a person; each line ends with a line end. */
export function formatChecks(checks: readonly CheckResult[], page: Page): string {
  const lines = checks.flatMap(({ id, verdict, summary, details, remedy }) => [
    ...broken(`${id}: ${MARKS[verdict]}, ${safeLine(summary)}`, { indent: '', page }).map((line, index) =>
      index === 0 ? line.replace(`${id}: ${MARKS[verdict]}`, heading(id, verdict, page)) : line,
    ),
    ...details.flatMap((detail) => broken(safeLine(detail.trimStart()), { indent: `  ${indentOf(detail)}`, page })),
    ...(remedy === undefined ? [] : broken(`to do: ${safeLine(remedy)}`, { indent: '  ', page })),
  ]);
  return lines.map((line) => `${line}\n`).join('');
}

/** `15 checks: 12 ok, 1 warning, 2 skipped`. */
export function summaryLine(checks: readonly CheckResult[]): string {
  const counts = (['failed', 'warning', 'ok', 'skipped'] as const).flatMap((verdict) => {
    const count = checks.filter((check) => check.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  return `${counted(checks.length, 'check')}: ${counts.join(', ')}`;
}

function heading(id: string, verdict: CheckVerdict, { style }: Page): string {
  const paints = { ok: style.green, warning: style.yellow, failed: style.red, skipped: style.dim } as const;
  return `${style.bold(id)}: ${paints[verdict](MARKS[verdict])}`;
}

function indentOf(text: string): string {
  return text.slice(0, text.length - text.trimStart().length);
}

/** Lines of at most the width of the page, as far as words allow; the following ones stand further in. */
function broken(text: string, { indent, page }: { readonly indent: string; readonly page: Page }): readonly string[] {
  const { width } = page;
  if (width === undefined || indent.length + text.length <= width) return [`${indent}${text}`];
  const lines: string[] = [];
  let line = indent;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}  `;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
