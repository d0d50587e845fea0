import type { AccountLimit, AccountSnapshot, AccountWindow } from '@quire/model-client';
import { safeLine } from '../exec/safe-text.ts';
import type { Style } from '../exec/style.ts';
import { describeLogin } from '../login/describe-login.ts';
import type { AccountReading } from './read-account.ts';
import { durationText, localTimeText, windowText } from './times.ts';

export interface Page {
  readonly style: Style;
  /** Columns of the terminal. */
  readonly width: number;
}

const LABEL_WIDTH = 'Account  '.length;
const WINDOW_WIDTH = 'window'.length;
const PERCENT_WIDTH = '100 % used'.length;
/** What stands beside a bar: indentation, window, percent, and when it is reset. */
const BESIDE_BAR = 66;
const SHORTEST_BAR = 8;
const LONGEST_BAR = 24;

/** The account for a person; each line ends with a line end. */
export function statusText(reading: AccountReading, notes: readonly string[], page: Page): string {
  const { dim } = page.style;
  const lines = [row('Account', describeLogin(reading.login).text, page), ...accountLines(reading, page)];
  const said = notes.map((note) => dim(safeLine(`note: ${note}`)));
  return [...lines, ...(said.length === 0 ? [] : ['', ...said])].map((line) => `${line}\n`).join('');
}

function accountLines(reading: AccountReading, page: Page): readonly string[] {
  const { login, snapshot } = reading;
  if (login === undefined) return [];
  if (login.kind === 'api-key') {
    return [
      row(
        'Limits',
        'an API key can not be asked for plan, limits or credits; the pages of its provider show them',
        page,
      ),
    ];
  }
  return [
    row('Plan', snapshot.planType ?? 'not known', page),
    row('Credits', creditsText(snapshot), page),
    row('Data', dataText(reading), page),
    ...snapshot.limits.flatMap((limit) => ['', ...limitLines(limit, reading, page)]),
  ];
}

function row(label: string, text: string, { style }: Page): string {
  return `${style.bold(label.padEnd(LABEL_WIDTH))}${safeLine(text)}`;
}

function creditsText({ credits }: AccountSnapshot): string {
  if (credits === undefined) return 'not known';
  if (credits.unlimited) return 'unlimited';
  if (!credits.hasCredits) return 'none';
  return credits.balance ?? 'some; how many is not known';
}

function dataText({ source, snapshot }: AccountReading): string {
  if (source === undefined) return 'nothing is known of the limits';
  if (source === 'service') return 'asked now';
  const age = snapshot.ageMs === undefined ? 'of unknown age' : `${durationText(snapshot.ageMs)} old`;
  return `${age}, from a recorded turn`;
}

function limitLines(limit: AccountLimit, reading: AccountReading, page: Page): readonly string[] {
  const { limitId, limitName, primary, secondary } = limit;
  const isNamed = limitName !== undefined && limitName !== limitId;
  const title = safeLine(isNamed ? `${limitName} (${limitId})` : limitId);
  const windows = [primary, secondary].filter((window) => window !== undefined);
  if (windows.length === 0) return [`${page.style.bold(title)}: how much is used is not known`];
  const age = reading.source === 'recorded' && limit.ageMs !== undefined ? `, ${durationText(limit.ageMs)} old` : '';
  return [
    `${page.style.bold(title)}${page.style.dim(age)}`,
    ...windows.map((window) => windowLine(window, { ...page, nowMs: reading.nowMs })),
  ];
}

function windowLine(window: AccountWindow, page: Page & { readonly nowMs: number }): string {
  const label = windowText(window.windowMinutes).padEnd(WINDOW_WIDTH);
  const cells = Math.min(LONGEST_BAR, Math.max(SHORTEST_BAR, page.width - BESIDE_BAR));
  const { usedPercent, resetsAtSeconds = 0, hasReset } = window;
  if (hasReset) {
    const since = localTimeText(resetsAtSeconds * 1000);
    return `  ${label} ${page.style.dim('·'.repeat(cells))} not known: it was reset at ${since}`;
  }
  const used = `${Math.round(usedPercent * 10) / 10} % used`.padStart(PERCENT_WIDTH);
  const reset = resetText(resetsAtSeconds, { nowMs: page.nowMs, isShort: page.width < BESIDE_BAR + SHORTEST_BAR });
  return `  ${label} ${bar(usedPercent, { cells, style: page.style })} ${used}  ${reset}`;
}

/** Something is used and something left as long as it shows in the number. */
function bar(usedPercent: number, { cells, style }: { readonly cells: number; readonly style: Style }): string {
  const share = Math.min(1, Math.max(0, usedPercent / 100));
  const full = share === 0 ? 0 : share === 1 ? cells : Math.min(cells - 1, Math.max(1, Math.round(share * cells)));
  const paint = share >= 0.9 ? style.red : share >= 0.7 ? style.yellow : style.green;
  return `${paint('█'.repeat(full))}${style.dim('░'.repeat(cells - full))}`;
}

/** Servers say 0 when they do not know. A narrow terminal has no room for the date. */
function resetText(
  resetsAtSeconds: number,
  { nowMs, isShort }: { readonly nowMs: number; readonly isShort: boolean },
): string {
  if (resetsAtSeconds <= 0) return isShort ? 'reset not known' : 'when it is reset is not known';
  const atMs = resetsAtSeconds * 1000;
  const wait = `reset in ${durationText(atMs - nowMs)}`;
  return isShort ? wait : `${wait}, at ${localTimeText(atMs)}`;
}
