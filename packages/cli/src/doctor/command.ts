import { assertNever } from '@quire/protocol';
import type { CommandResult } from '../end-process.ts';
import { safeLine } from '../exec/safe-text.ts';
import { EXIT } from '../exit-codes.ts';
import { scanOptions } from '../option-scan.ts';
import { say } from '../say.ts';
import type { Check, CheckResult, CheckVerdict } from './check.ts';

const HELP = `Look at what quire needs on this machine.

Usage: quire doctor [--json]

      --json   One JSON object: {"checks":[{"id","verdict","summary","details","remedy"}]}
  -h, --help   Show this text

Verdicts are ok, warning and failed. Exit codes: 0, 1 when a check failed, 2 for wrong usage.
`;

/** In the order in which they are shown. */
const CHECKS: readonly Check[] = [async () => (await import('./check-sandbox.ts')).checkSandbox()];

const MARKS: Readonly<Record<CheckVerdict, string>> = { ok: 'ok', warning: 'warning', failed: 'FAILED' };

/** `quire doctor`. */
export async function doctorCommand(argv: readonly string[]): Promise<CommandResult> {
  const specs = [
    { name: 'json', takesValue: false },
    { name: 'help', short: 'h', takesValue: false },
  ];
  const scan = scanOptions(argv, { specs, command: 'quire doctor' });
  switch (scan.kind) {
    case 'usage-error':
      return usageError(scan.message);
    case 'scanned': {
      if (scan.values.has('help')) return say('stdout', HELP);
      const [surplus] = scan.positionals;
      if (surplus !== undefined) return usageError(`unexpected argument ${JSON.stringify(surplus.text)}`);
      const checks = await Promise.all(CHECKS.map((check) => check()));
      const said = say('stdout', scan.values.has('json') ? `${JSON.stringify({ checks })}\n` : formatChecks(checks));
      return checks.some(({ verdict }) => verdict === 'failed')
        ? { ...said, exitCode: said.exitCode || EXIT.failed }
        : said;
    }
    default:
      return assertNever(scan, 'quire doctor');
  }
}

export function formatChecks(checks: readonly CheckResult[]): string {
  const lines = checks.flatMap(({ id, verdict, summary, details, remedy }) => [
    `${id}: ${MARKS[verdict]}, ${summary}`,
    ...details.map((detail) => `  ${detail}`),
    ...(remedy === undefined ? [] : [`  to do: ${remedy}`]),
  ]);
  return lines
    .map((line) => `${line.slice(0, line.length - line.trimStart().length)}${safeLine(line.trimStart())}\n`)
    .join('');
}

function usageError(message: string): CommandResult {
  say('stderr', `quire: ${safeLine(message)}\nUsage: quire doctor [--json]; see quire doctor --help\n`);
  return { exitCode: EXIT.usage, settled: true };
}
