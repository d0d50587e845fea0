import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleProgram } from '../support/bundle-program.ts';

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quire-execpolicy-'));
  program = await bundleProgram(
    folder,
    `import { execPolicyCommand } from './src/execpolicy/command.ts';
        process.exitCode = (await execPolicyCommand(process.argv.slice(2))).exitCode;`,
  );
  await mkdir(join(folder, 'home/rules'), { recursive: true });
  await writeFile(join(folder, 'home/rules/default.rules'), 'prefix_rule(["ls"])\n');
  await writeFile(
    join(folder, 'a.rules'),
    'prefix_rule(["git", ["status", "log"]], "allow", justification="reads")\nprefix_rule(["git"], "prompt")\n',
  );
  await writeFile(join(folder, 'bad.rules'), 'prefix_rule(["git"],\n  decision="maybe")\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(...argv: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { QUIRE_HOME: join(folder, 'home') }, timeout: 20_000 };
    execFile(process.execPath, [program, ...argv], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

const STATUS = {
  matchedRules: [
    { prefixRuleMatch: { matchedPrefix: ['git', 'status'], decision: 'allow', justification: 'reads' } },
    { prefixRuleMatch: { matchedPrefix: ['git'], decision: 'prompt' } },
  ],
  decision: 'prompt',
};

test('the checker prints what the rules say, in the spelling of the peer [APR-39]', async () => {
  expect(await run('check', '--rules', 'a.rules', 'git', 'status', '-s')).toEqual({
    code: 0,
    stdout: `${JSON.stringify(STATUS)}\n`,
    stderr: '',
  });
  expect((await run('check', '-r', 'a.rules', '--pretty', '--', 'git', 'status')).stdout).toBe(
    `${JSON.stringify(STATUS, undefined, 2)}\n`,
  );
  expect((await run('check', '-r', 'a.rules', 'ls')).stdout).toBe('{"matchedRules":[]}\n');
});

test('an absolute path stands for a name only when that is asked for [APR-39]', async () => {
  const path = '/usr/bin/git';
  expect((await run('check', '-r', 'a.rules', path, 'push')).stdout).toBe('{"matchedRules":[]}\n');
  expect((await run('check', '-r', 'a.rules', '--resolve-host-executables', path, 'push')).stdout).toBe(
    `{"matchedRules":[{"prefixRuleMatch":{"matchedPrefix":["git"],"decision":"prompt","resolvedProgram":"${path}"}}],"decision":"prompt"}\n`,
  );
});

test('without a file the rules of the home folder are checked [APR-39]', async () => {
  expect((await run('check', 'ls')).stdout).toBe(
    '{"matchedRules":[{"prefixRuleMatch":{"matchedPrefix":["ls"],"decision":"allow"}}],"decision":"allow"}\n',
  );
});

test('a file that can not be used ends it with code 1 and the place [APR-40]', async () => {
  expect(await run('check', '-r', 'bad.rules', 'ls')).toEqual({
    code: 1,
    stdout: '',
    stderr: `quire: ${join(folder, 'bad.rules')}:2:12: decision must be one of allow, prompt, forbidden, found "maybe"\n`,
  });
  expect(await run('check', '-r', 'none.rules', 'ls')).toEqual({
    code: 1,
    stdout: '',
    stderr: `quire: ${join(folder, 'none.rules')} can not be read: it does not exist\n`,
  });
});

test('wrong usage ends it with code 2, and help is printed [APR-40]', async () => {
  expect(await run('check')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'quire: the command to check is missing\nUsage: quire execpolicy check [OPTIONS] COMMAND; see quire execpolicy --help\n',
  });
  const help = await run('--help');
  expect([help.code, help.stdout.includes('--resolve-host-executables')]).toEqual([0, true]);
});
