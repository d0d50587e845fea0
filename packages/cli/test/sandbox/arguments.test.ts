import { expect, test } from 'vitest';
import { parseSandboxArguments } from '../../src/sandbox/arguments.ts';

test('the options of the command behind it are its own [SBX-50]', () => {
  for (const separator of [[], ['--']]) {
    const parsed = parseSandboxArguments([
      '-s',
      'workspace-write',
      '-C',
      '/w',
      '-c',
      'a=1',
      ...separator,
      'ls',
      '-s',
      '-h',
    ]);
    expect(parsed).toMatchObject({
      kind: 'run',
      arguments: {
        argv: ['ls', '-s', '-h'],
        backend: undefined,
        options: { sandboxMode: 'workspace-write', workingDirectory: '/w', configOverrides: ['a=1'] },
      },
    });
  }
  expect(parseSandboxArguments(['--backend', 'landlock', '--', '--odd'])).toMatchObject({
    arguments: { argv: ['--odd'], backend: 'landlock' },
  });
});

test('wrong arguments are usage errors that say what is wrong [SBX-51]', () => {
  const message = (argv: readonly string[]): string => {
    const parsed = parseSandboxArguments(argv);
    return parsed.kind === 'usage-error' ? parsed.message : parsed.kind;
  };
  expect(message([])).toBe('a command is missing, as in quire sandbox -- ls');
  expect(message(['--', ''])).toBe('the name of the command is empty');
  expect(message(['--backend', 'chroot', 'ls'])).toBe(
    '--backend needs one of bubblewrap, landlock, seatbelt, not "chroot"',
  );
  expect(message(['-s', 'open', 'ls'])).toContain('read-only');
  expect(message(['--json', 'ls'])).toContain('unknown option --json');
  expect(message(['-h'])).toBe('help');
  expect(message(['--odd', '--help'])).toBe('help');
});
