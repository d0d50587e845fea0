import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { functionCall, respond, Simulator, text } from '@quire/simulator';
import { expect, test } from 'vitest';
import { buildCommand } from '../support/commands.ts';

test('without the terminal module a session on a terminal is refused in one line, and others run [CMD-34]', async () => {
  await using built = await buildCommand();
  expect(existsSync(join(built.folder, 'node_modules'))).toBe(false);
  await using sim = await Simulator.start({
    acceptsAnyClient: true,
    steps: [
      respond(
        functionCall('on-terminal', 'exec_command', { cmd: 'echo one', login: false, tty: true }),
        functionCall('on-pipes', 'exec_command', { cmd: 'echo two', login: false }),
      ),
      respond(text('Done.')),
    ],
  });
  const home = await built.home(`openai_base_url = "${sim.url}"\nmodel = "gpt-5.6-sol"\n`);
  const argv = ['exec', '--skip-git-repo-check', '--sandbox', 'danger-full-access', 'go'];
  const { code, stdout } = await home.run(argv, { CODEX_API_KEY: 'k' });
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'Done.\n' });
  const input = sim.requests.at(-1)?.body['input'] as readonly {
    readonly call_id?: string;
    readonly output?: string;
  }[];
  const outputOf = (id: string) => input.find(({ call_id, output }) => call_id === id && output !== undefined)?.output;
  expect(outputOf('on-terminal')).toMatch(
    /^[^\n]*no terminal can be opened here \(Cannot find (?:module|package) .*\); run it without a terminal\n?$/,
  );
  expect(outputOf('on-pipes')).toMatch(/two\n?$/);
});
