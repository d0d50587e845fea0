import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSimulateArguments } from '../../src/simulate/arguments.ts';
import { bundleProgram } from '../support/bundle-program.ts';
import { Program } from '../support/program.ts';

test('the command line asks for logins with one flag [SIM-182]', () => {
  expect(parseSimulateArguments(['--login'])).toEqual({
    kind: 'run',
    arguments: {
      port: 0,
      scriptPath: undefined,
      modelsPath: undefined,
      anyClient: false,
      login: true,
      collector: false,
    },
  });
});

test('quire simulate --login is an authorization server with pages, and tells how to try it [SIM-182]', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quire-simulate-'));
  try {
    const path = await bundleProgram(
      folder,
      `import { simulateCommand } from './src/simulate/command.ts';
          await simulateCommand(process.argv.slice(2));`,
    );
    const program = new Program(path, { argv: ['--login'], stdin: 'ignore', env: { HOME: folder } });
    await program.saw('With --device-auth');
    const [issuer = ''] = /(?<=--experimental_issuer )\S+/.exec(program.printed) ?? [];
    const page = await fetchText(`${issuer}/codex/device?code=NONE`);
    expect(page).toContain('No login waits for this code');
    await program.saw('login: device-page');
    const usage = await fetchText(`${issuer}/api/codex/usage`);
    expect(JSON.parse(usage)).toMatchObject({
      plan_type: 'plus',
      rate_limit: { primary_window: { used_percent: 38 } },
    });
    program.child.kill('SIGTERM');
    const ended = await program.ended;
    expect(ended.stdout).toContain(`export CODEX_REFRESH_TOKEN_URL_OVERRIDE=${issuer}/oauth/token`);
    expect(ended.stdout).toContain(`quire status -c chatgpt_base_url=${issuer}\n`);
    expect(ended.stderr).toBe('');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}
