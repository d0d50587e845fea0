import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Quire, TurnFailedError } from '@quire/agent';
import { respond, Simulator, status, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { createWorkspace, type Workspace } from './workspace.ts';

async function program(workspace: Workspace, script: string): Promise<string> {
  const path = join(workspace.home, 'print-token.sh');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Its tokens are numbered. */
const COUNTING = 'cd "$(dirname "$0")"; echo x >> runs; echo "secret-token-$(wc -l < runs | tr -d " ")"';

function quireWith(
  workspace: Workspace,
  given: { readonly url: string; readonly path: string; readonly auth?: string },
): Quire {
  const { url, path, auth = '' } = given;
  return new Quire({
    home: workspace.home,
    environment: { PATH: process.env['PATH'], HOME: workspace.home, CODEX_API_KEY: 'sk-own-key-of-ours' },
    configOverrides: [
      `model_providers.work={name="Work",base_url="${url}",stream_max_retries=0,auth={command="${path}"${auth}}}`,
      'model_provider=work',
      'model=gpt-5.2-codex',
    ],
  });
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'none',
    (error: unknown) => (error instanceof Error && 'code' in error ? `${error.code}: ${error.message}` : String(error)),
  );
}

async function writtenIn(home: string): Promise<string> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.jsonl'));
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'utf8')))).join('\n');
}

const sent = (simulator: Simulator): readonly unknown[] =>
  simulator.requests.map(({ headers }) => headers['authorization']);

describe('a provider whose token a program prints', () => {
  test('has it run once for all threads, and once more when the token is refused; no token is written [AGENT-74]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({
      steps: [
        respond(text('One.')),
        status(/* code */ 401, { body: { error: { message: 'expired' } } }),
        respond(text('It was secret-token-2, and before secret-token-1.')),
        respond(text('Three.')),
      ],
    });
    const quire = quireWith(workspace, { url: simulator.url, path: await program(workspace, COUNTING) });
    const place = { workingDirectory: workspace.repository };
    const first = await quire.startThread(place);
    await first.run('one');
    await first.run('two');
    const second = await quire.startThread(place);
    await second.run('three');
    await Promise.all([first.close(), second.close()]);

    expect(sent(simulator)).toEqual([
      'Bearer secret-token-1',
      'Bearer secret-token-1',
      'Bearer secret-token-2',
      'Bearer secret-token-2',
    ]);
    expect((await readFile(join(workspace.home, 'runs'), 'utf8')).length).toBe(4);
    const written = await writtenIn(workspace.home);
    expect(written).toContain('[redacted:known-value]');
    expect(written).not.toContain('secret-token');
  });

  test('gives it no credentials of ours, and runs it where the configuration says [AGENT-75]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [respond(text('One.'))] });
    const path = await program(workspace, 'echo "$(basename "$PWD")-$(printenv CODEX_API_KEY || echo none)-$1"');
    const auth = `,args=["with words"],cwd="${workspace.repository}"`;
    const spaced = await problemOf(
      quireWith(workspace, { url: simulator.url, path, auth }).startThread({ workingDirectory: workspace.repository }),
    );
    expect(spaced).toContain('printed more than a token');
    const plain = quireWith(workspace, {
      url: simulator.url,
      path,
      auth: `,args=["word"],cwd="${workspace.repository}"`,
    });
    await using thread = await plain.startThread({ workingDirectory: workspace.repository });
    await thread.run('one');
    expect(sent(simulator)).toEqual(['Bearer repository-none-word']);
  });

  test.each([
    ['fails', 'echo known-argument-value >&2; exit 7', '', 'ended with code 7: [redacted:known-value]'],
    ['hangs', 'sleep 60', ',timeout_ms=2000', 'gave no answer in 2 s'],
    [
      'floods',
      'while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done',
      '',
      'printed more than 1048576 bytes',
    ],
  ])(
    'tells of one that %s before anything is written, and leaves nothing running [AGENT-76]',
    async (_, script, more, what) => {
      await using workspace = await createWorkspace();
      const path = await program(workspace, `echo $$ > "$(dirname "$0")/pid"\n${script}`);
      const quire = quireWith(workspace, {
        url: 'http://127.0.0.1:9/v1',
        path,
        auth: `,args=["known-argument-value"]${more}`,
      });
      expect(await problemOf(quire.startThread({ workingDirectory: workspace.repository }))).toBe(
        `no-credentials: the program ${path}, which prints the token of the model provider "work", ${what}; see model_providers.work.auth`,
      );
      expect(await quire.listThreads()).toEqual([]);
      const pid = Number(await readFile(join(workspace.home, 'pid'), 'utf8'));
      expect(() => process.kill(pid, 0)).toThrow();
    },
  );

  test('that is not there is told with its name and its folder [AGENT-76]', async () => {
    await using workspace = await createWorkspace();
    const start = (path: string, auth?: string) =>
      quireWith(workspace, { url: 'http://127.0.0.1:9/v1', path, ...(auth === undefined ? {} : { auth }) }).startThread(
        {
          workingDirectory: workspace.repository,
        },
      );
    expect(await problemOf(start('/none/program'))).toContain('/none/program, which prints the token');
    expect(await problemOf(start('true', ',cwd="/none"'))).toContain(
      'could not be started: its working directory /none can not be used',
    );
  });

  test('whose second token is refused as well ends the turn with what to look at [AGENT-77]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [status(/* code */ 401), status(/* code */ 401)] });
    const path = await program(workspace, COUNTING);
    await using thread = await quireWith(workspace, { url: simulator.url, path }).startThread({
      workingDirectory: workspace.repository,
    });
    const failure = await thread.run('one').then(undefined, (error: unknown) => error);
    expect(failure).toBeInstanceOf(TurnFailedError);
    expect(String(failure)).toContain('check the program that model_providers.work.auth names');
    expect(String(failure)).not.toContain('secret-token');
  });
});
