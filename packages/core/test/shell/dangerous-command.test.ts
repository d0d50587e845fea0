import { describe, expect, test } from 'vitest';
import { isDangerousArgv, isDangerousCommand } from '../../src/shell/index.ts';

describe('a forced removal is dangerous wherever it stands [SHELL-09]', () => {
  test.each(
    [
      'rm -f x',
      'rm -rf /',
      'rm -fr x',
      'rm x -f',
      'rm --force x',
      'rm --forc x',
      'rm -r -f x',
      '/bin/rm -f x',
      '"rm" -rf x',
      'r\\m -rf x',
      'sudo rm -rf x',
      'sudo -u root rm -f x',
      'doas rm -f x',
      'env A=1 rm -f x',
      'A=1 rm -f x',
      'command rm -f x',
      'nohup rm -f x',
      'timeout 5 rm -rf x',
      'ls | xargs rm -f',
      'find . -exec rm -f {} \\;',
      'ls && rm -rf x',
      'ls; rm -f x',
      'ls\nrm -f x',
      'if true; then rm -f x; fi',
      'for f in *; do rm -f "$f"; done',
      '(rm -rf x)',
      '{ rm -rf x; }',
      'echo $(rm -rf x)',
      'echo "$(rm -rf x)"',
      'echo `rm -rf x`',
      'rm -rf x > log',
      'rm -rf "$DIR"',
      "bash -c 'rm -rf x'",
      'sh -lc "ls; rm -rf x"',
      `sudo bash -c 'rm -f x'`,
      'eval rm -rf x',
      `eval 'rm -rf x'`,
      'ls & rm -f x',
      '! rm -f x',
      'time rm -f x',
    ].map((script) => [script]),
  )('%j', (script) => {
    expect(isDangerousCommand(script)).toBe(true);
  });
});

describe('other commands are not [SHELL-10]', () => {
  test.each(
    [
      '',
      'ls',
      'rm x',
      'rm -r x',
      'rm -i x',
      'rm -- -f',
      "echo 'rm -rf x'",
      'echo rm -rf x',
      'grep -f x y',
      'git rm x',
      'sudo ls -f',
      "bash -c 'ls -f'",
      'bash rm',
      'cat <<EOF\nhello\nEOF',
      'xargs rm',
      "echo 'open",
      'sudo',
      'A=1',
    ].map((script) => [script]),
  )('%j', (script) => {
    expect(isDangerousCommand(script)).toBe(false);
  });
});

test('an argument list is judged, also the script it gives to a shell [SHELL-11]', () => {
  expect(isDangerousArgv(['rm', '-f', 'x'])).toBe(true);
  expect(isDangerousArgv(['bash', '-lc', 'cd a && rm -rf b'])).toBe(true);
  expect(isDangerousArgv(['echo', 'rm -rf x'])).toBe(false);
});

test('a script made to be costly is judged quickly [SHELL-08]', () => {
  const cpuBefore = process.cpuUsage();
  for (const unit of ['sudo ', 'find -exec ', 'eval ', 'sudo eval ', 'bash -c ', '$( ', '"$(', '`']) {
    expect(isDangerousCommand(unit.repeat(20_000))).toBe(false);
  }
  expect(process.cpuUsage(cpuBefore).user / 1_000).toBeLessThan(4_000);
});
