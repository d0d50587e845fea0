import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src/doctor/check.ts';
import { checkTerminal } from '../../src/doctor/checks/check-terminal.ts';
import { formatChecks, summaryLine } from '../../src/doctor/report-text.ts';
import { createStyle } from '../../src/exec/style.ts';

const CHECK: CheckResult = {
  id: 'tls',
  verdict: 'failed',
  summary: 'the certificate of h:443 is not trusted\u001b[2J',
  details: ['one two three four five six', '  seven'],
  remedy: 'name the file',
};

describe('the report', () => {
  test('is broken between words at the width of the terminal, and drives no terminal [DOCTOR-25]', () => {
    const page = { style: createStyle({ color: false }), width: 30 };
    expect(formatChecks([CHECK], page)).toBe(
      'tls: FAILED, the certificate\n' +
        '  of h:443 is not trusted\n' +
        '  one two three four five six\n' +
        '    seven\n' +
        '  to do: name the file\n',
    );
    const wide = formatChecks([{ ...CHECK, summary: `${'x'.repeat(50)} y` }], page);
    expect(wide.split('\n').slice(0, 3)).toEqual(['tls: FAILED,', `  ${'x'.repeat(50)}`, '  y']);
  });

  test('has colours where they are wanted, and counts the worst first [DOCTOR-19]', () => {
    const page = { style: createStyle({ color: true }), width: undefined };
    expect(formatChecks([{ ...CHECK, details: [] }], page)).toContain(
      '\u001b[1mtls\u001b[22m: \u001b[31mFAILED\u001b[39m, the',
    );
    const checks = (['ok', 'skipped', 'warning', 'ok'] as const).map((verdict) => ({ ...CHECK, verdict }));
    expect(summaryLine(checks)).toBe('4 checks: 1 warning, 2 ok, 1 skipped');
  });
});

test.runIf(process.platform === 'linux')(
  'a terminal without UTF-8 is a warning; without a terminal there is nothing to say [DOCTOR-19]',
  () => {
    const facts = { isTerminal: true, columns: 120, environment: { TERM: 'xterm', LANG: 'C' } };
    expect([
      checkTerminal(facts).verdict,
      checkTerminal({ ...facts, environment: { TERM: 'xterm', LANG: 'C.UTF-8' } }),
      checkTerminal({ ...facts, isTerminal: false }).verdict,
    ]).toEqual([
      'warning',
      { id: 'terminal', verdict: 'ok', summary: 'xterm, 120 columns, with colours', details: [] },
      'skipped',
    ]);
  },
);
