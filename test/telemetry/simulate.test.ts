import { expect, test } from 'vitest';
import { CommandRun, runCommand } from '../support/command-run.ts';
import { installCommand } from '../support/installed-command.ts';
import { createWorkspace } from '../support/workspace.ts';

test('quire simulate --collector prints what a command exports to it [TEL-70]', async () => {
  await using command = await installCommand();
  await using workspace = await createWorkspace();
  await using simulate = new CommandRun({ command, workspace, name: 'simulate', argv: ['--collector'] });
  await simulate.saw('Ctrl-C ends this.');
  const [line = ''] = simulate.stdout.split('\n').filter((text) => text.includes('quire exec'));
  // What a person copies, without the quotes of the shell.
  const given = [...line.matchAll(/-c (?:'([^']*)'|(\S+))/g)].flatMap(([, quoted, bare]) => [
    '-c',
    quoted ?? bare ?? '',
  ]);
  expect(given).toHaveLength(10);
  const argv = [...given, '--skip-git-repo-check', '-m', 'rehearsal', '-s', 'danger-full-access', 'hi'];
  expect((await runCommand({ command, workspace, argv })).code).toBe(0);
  await Promise.all(['traces: ', 'logs: ', 'metrics: '].map((text) => simulate.saw(`\n${text}`)));
  simulate.child.kill('SIGINT');
  const { code, stdout } = await simulate.ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^traces: .*turn\.run/m);
  expect(stdout).not.toContain('broken rule');
});
