import { expect, test } from 'vitest';
import { describeSandbox } from '../../src/doctor/checks/check-sandbox.ts';
import { formatChecks } from '../../src/doctor/report-text.ts';
import { createStyle } from '../../src/exec/style.ts';

const PAGE = { style: createStyle({ color: false }), width: undefined };

test('the sandbox that is used is named, with what it does not keep out [SBX-52]', () => {
  const result = describeSandbox(
    { chosen: 'landlock', tried: [{ backend: 'landlock', works: true, detail: 'Landlock 7', gaps: ['names'] }] },
    'linux',
  );
  expect(result).toEqual({
    id: 'sandbox',
    verdict: 'ok',
    summary: 'commands are confined by landlock (Landlock 7)',
    details: ['landlock: works (Landlock 7)', '  not kept out by landlock: names'],
  });
});

test('without a sandbox every try is told with its reason, and going without is never the remedy [SBX-53]', () => {
  const tried = [
    { backend: 'bubblewrap', works: false, detail: 'bwrap is not installed', gaps: [] },
    { backend: 'landlock', works: false, detail: 'the kernel has no Landlock\u001b[2J', gaps: [] },
  ] as const;
  for (const platform of ['linux', 'darwin', 'win32']) {
    const text = formatChecks([describeSandbox({ chosen: undefined, tried }, platform)], PAGE);
    expect(text).toContain('sandbox: FAILED, no sandbox works, so commands that have to be confined are refused\n');
    expect(text).toContain('  bubblewrap: does not work (bwrap is not installed)\n');
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/danger-full-access|yolo|bypass/);
  }
});

test('a sandbox with many gaps is a warning with a remedy [SBX-54]', () => {
  const tried = [{ backend: 'landlock', works: true, detail: 'alone', gaps: ['a', 'b'] }] as const;
  const { verdict, remedy } = describeSandbox({ chosen: 'landlock', tried }, 'linux');
  expect([verdict, remedy?.includes('docs/sandbox.md')]).toEqual(['warning', true]);
});
