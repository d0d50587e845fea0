import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import type { SandboxReport } from '@quire/host';
import { GROUPS } from '../attempts/all.ts';
import type { Attempt } from './attempt.ts';
import type { Result } from './run-corpus.ts';

/** The page of all attempts, with what each came to on this machine. */
export function tableOf(report: SandboxReport, results: ReadonlyMap<string, Result>): string {
  const flag = process.env['QUIRE_ESCAPES_FLAG'] ?? '';
  const working = report.tried.filter(({ works }) => works);
  const columns = working.map(({ backend }) => backend);
  const rows = GROUPS.flatMap(({ name, attempts }) => [
    `| | **at ${name}** | |${' |'.repeat(columns.length)}`,
    ...attempts.map((attempt) => row(attempt, results.get(attempt.id), columns)),
  ]);
  const count = GROUPS.reduce((sum, { attempts }) => sum + attempts.length, 0);
  const lines = [
    '# Attempts to get out of the sandbox',
    '',
    `Written by \`node tools/sandbox-escapes.js${flag} --write\`, which makes all ${count} attempts of \`test/sandbox\`; so does`,
    '`npm test`, where one that gets out is a failing test. Each is made without a sandbox first, to show that it is real,',
    'and then with every backend that works on the machine. Whether it got out is seen from outside: files elsewhere or',
    'protected ones that changed, something that a server received, a process that was touched, a call that came through.',
    '',
    `- Date: ${new Date().toISOString().slice(0, 10)}. Linux ${release()} on ${process.arch}, as ${userName()}, Node.js ${process.version}.`,
    ...report.tried.map(({ backend, works, detail, gaps }) =>
      [`- ${backend}: ${works ? detail : `not used, ${detail}`}.`, ...gaps.map((gap) => `Known gap: ${gap}.`)].join(
        ' ',
      ),
    ),
    ...columns.map((backend) => `- ${backend}: ${tally(results, (result) => result.confined[backend])}.`),
    '',
    `| id | attempt | not confined | ${columns.join(' | ')} |`,
    `|---|---|---|${'---|'.repeat(columns.length)}`,
    ...rows,
  ];
  return `${lines.join('\n')}\n`;
}

function row(attempt: Attempt, result: Result | undefined, columns: readonly (keyof Result['confined'])[]): string {
  const { id, title, canFailUnconfined = 'no reason known' } = attempt;
  const cells = columns.map((backend) => outcome(result, result?.confined[backend]));
  const isReal = (result?.unconfined?.traces.length ?? 0) > 0;
  const control = isReal ? 'works' : result?.unconfined === undefined ? 'not made' : `not here: ${canFailUnconfined}`;
  return `| ${[id, title, control, ...cells].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function outcome(result: Result | undefined, confined: Result['unconfined']): string {
  if (result === undefined || confined === undefined) {
    return `not made: ${result?.missing.join(', ') ?? 'it'} is not installed`;
  }
  return confined.traces.length === 0 ? 'contained' : '**got out**';
}

function tally(results: ReadonlyMap<string, Result>, of: (result: Result) => Result['unconfined']): string {
  const made = [...results.values()].flatMap((result) => of(result) ?? []);
  const out = made.filter(({ traces }) => traces.length > 0).length;
  return `${made.length} attempts made, ${out === 0 ? 'none' : out} got out`;
}

function userName(): string {
  const held = /^CapEff:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return process.getuid?.() === 0 ? `root (capabilities ${held})` : 'an ordinary user';
}
