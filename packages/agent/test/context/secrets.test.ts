import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { functionCall, respond, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { answersAll, createScene, FULL_ACCESS, lastRequest, linesOf, outlineOf, requestAt } from './scene.ts';

/** Everything below the home, names and contents. */
async function contentsOf(home: string): Promise<string> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1')));
  return [...files, ...texts].join('\n');
}

const KNOWN = 'quartz-lemon-4471-violet';
const SHAPED = `sk-${'proj'}-${'a1B2c3D4'.repeat(4)}`;
const ENVIRONMENT = { MY_API_KEY: KNOWN, OTHER: 'kept-as-it-is' };

describe('a secret', () => {
  test('that a command prints, the model repeats or a person types is in no file, and the thread goes on [CTX-43]', async () => {
    await using scene = await createScene({
      environment: ENVIRONMENT,
      // What was redacted is read again that way.
      allowRewrite: ({ index }) => index === 2,
      steps: [
        respond(functionCall('call-1', 'shell_command', { command: 'echo "$MY_API_KEY $OTHER"; env' })),
        respond(text(`It is ${KNOWN}, and yours is ${SHAPED}.`)),
      ],
      rules: answersAll(),
    });
    const thread = await scene.start(FULL_ACCESS);
    await thread.run(`my key is ${SHAPED}, the other ${KNOWN}`);
    await thread.runShell('echo "$MY_API_KEY"');
    await thread.run('second');
    await thread.close();
    await scene.quire().setThreadName(thread.facts.threadId, `about ${SHAPED}`);
    const fork = await scene.fork(thread, FULL_ACCESS);
    await fork.close();
    await using again = await scene.resume(thread, FULL_ACCESS);
    await again.run('third');

    const stored = await contentsOf(scene.home);
    expect(stored).not.toContain(KNOWN);
    expect(stored).not.toContain(SHAPED);
    expect(stored).toContain('kept-as-it-is');
    expect(stored).toContain('[redacted:');
    // The model saw what was there, and after the resume what the file holds.
    expect(String(requestAt(scene, /* index */ 1).toolOutputs[0]?.output)).toContain(`${KNOWN} kept-as-it-is`);
    expect(outlineOf(lastRequest(scene)).map((line) => line.split(' ')[0])).toEqual(
      outlineOf(requestAt(scene, /* index */ 2))
        .concat('assistant:', 'user:')
        .map((line) => line.split(' ')[0]),
    );
    expect((await linesOf(again)).length).toBeGreaterThan(10);
  });

  test('is not in the compaction lines and the ledger either [CTX-43]', async () => {
    await using scene = await createScene({
      environment: ENVIRONMENT,
      expectLocalCompactions: true,
      steps: [
        respond(functionCall('call-1', 'shell_command', { command: `echo ${KNOWN} ${SHAPED}; printf %04000d 1` })),
        respond(text('Done.')),
        respond(text(`A summary with ${KNOWN} and ${SHAPED}.`)),
      ],
      rules: answersAll(),
    });
    const thread = await scene.start(FULL_ACCESS);
    await thread.run(`use ${SHAPED}`);
    await thread.compact();
    await thread.close();
    await using again = await scene.resume(thread, FULL_ACCESS);
    await again.run('second');

    const stored = await contentsOf(scene.home);
    expect(stored).toContain('replacement_history');
    expect(stored).not.toContain(KNOWN);
    expect(stored).not.toContain(SHAPED);
    expect(outlineOf(lastRequest(scene)).at(-1)).toBe('user: second');
  });

  test.each([
    ['quotes', 'value-with-"quotes"-99'],
    ['a backslash', 'value\\with-quotes-99'],
  ])('with %s in it is not written either [CTX-43]', async (_, quoted) => {
    await using scene = await createScene({
      environment: { MY_TOKEN: quoted },
      steps: [
        respond(functionCall('call-1', 'shell_command', { command: `echo '${quoted}'` }), text(`Said ${quoted}.`)),
        respond(text('Done.')),
      ],
    });
    await using thread = await scene.start(FULL_ACCESS);
    await thread.run('go');

    const stored = await contentsOf(scene.home);
    expect(stored).not.toContain(JSON.stringify(quoted).slice(1, -1));
    expect(stored).not.toContain('quotes');
  });
});
