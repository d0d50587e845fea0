import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { respond, Simulator, text } from '@quire/simulator';
import { afterAll, expect, test } from 'vitest';
import { CommandRun } from './support/command-run.ts';
import { installCommand } from './support/installed-command.ts';
import { createWorkspace } from './support/workspace.ts';

const command = await installCommand();
afterAll(() => command[Symbol.asyncDispose]());

/** Notes the URL of each module that Node.js loads. */
const NOTE_LOADS = `import { register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(\`
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(process.env.LOADS, url + '\\\\n');
    return next(url, context);
  }
\`));
`;

test('a plain run loads a handful of files of the command from its start to its end [CLI-12]', async () => {
  await using simulator = await Simulator.start({ steps: [respond(text('Done.'))] });
  await using workspace = await createWorkspace();
  const hook = join(workspace.root, 'note-loads.mjs');
  const loads = join(workspace.root, 'loads.txt');
  await writeFile(hook, NOTE_LOADS);

  await using run = new CommandRun({
    command,
    workspace,
    argv: ['--skip-git-repo-check', '--yolo', '--json', 'Go.'],
    url: simulator.url,
    environment: { NODE_OPTIONS: `--import=${hook}`, LOADS: loads },
  });
  const { code, stderr } = await run.ended;

  expect({ code, stderr }).toMatchObject({ code: 0 });
  const names = (await readFile(loads, 'utf8'))
    .split('\n')
    .filter((url) => url.includes('/dist/'))
    .map((url) => url.slice(url.lastIndexOf('/') + 1).replace(/-[0-9A-Z]{8}\.js$/, ''));
  expect(names.sort()).toEqual([
    'command',
    'json-output',
    'main.js',
    'src',
    'start-agent.js',
    'start-command.js',
    'start-home.js',
    'start-main.js',
  ]);
});
