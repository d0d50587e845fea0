import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { createCommandRules, loadConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

interface Place {
  readonly home: string;
  readonly project: string;
  readonly warnings: string[];
  rules(options?: { readonly withProject?: boolean }): ReturnType<typeof createCommandRules>;
  write(file: string, text: string): Promise<void>;
}

async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  using folder = temporaryFolder();
  const home = path.join(folder.path, 'home');
  const project = path.join(folder.path, 'project', '.codex');
  await fs.mkdir(home);
  const warnings: string[] = [];
  await body({
    home,
    project,
    warnings,
    rules: ({ withProject = false } = {}) =>
      createCommandRules({
        home,
        ...(withProject ? { projectFolders: [project] } : {}),
        onWarning: (message) => warnings.push(message),
      }),
    write: async (file, text) => {
      await fs.mkdir(path.dirname(file), { recursive: true });
      await fs.writeFile(file, text);
    },
  });
}

const DEFAULT = 'rules/default.rules';

describe('rules of the administrator', () => {
  const REQUIREMENTS = `[rules]
prefix_rules = [
  { pattern = [{ token = "git" }, { any_of = ["push", "fetch"] }], decision = "prompt", justification = "ask first" },
  { pattern = [{ token = "curl" }], decision = "forbidden" },
]
`;

  async function managedRules(place: Place): Promise<ReturnType<typeof createCommandRules>> {
    const { home, warnings, write } = place;
    await write(path.join(home, 'system', 'requirements.toml'), REQUIREMENTS);
    const { requirements } = await loadConfig({
      home,
      cwd: home,
      overrides: [],
      environment: { HOME: home },
      systemFolder: path.join(home, 'system'),
    });
    const rules = createCommandRules({
      home,
      managed: requirements?.rules ?? [],
      onWarning: (message) => warnings.push(message),
    });
    await rules.load?.();
    return rules;
  }

  test('hold beside those of files, and what a person allows does not take them away [APR-43]', async () => {
    await withPlace(async (place) => {
      await place.write(path.join(place.home, DEFAULT), 'prefix_rule(["git", "push"])\nprefix_rule(["curl"])');
      const rules = await managedRules(place);
      await rules.allow(['git', 'fetch']);
      const decisions = (words: readonly string[]) =>
        rules
          .matches(words)
          .map(({ decision }) => decision)
          .sort();
      expect([
        decisions(['git', 'push']),
        decisions(['git', 'fetch']),
        decisions(['curl', 'x']),
        decisions(['git']),
      ]).toEqual([['allow', 'prompt'], ['allow', 'prompt'], ['allow', 'forbidden'], []]);
      expect(rules.matches(['git', 'push'])[0]?.justification).toBe('ask first');
    });
  });

  test('hold also when a file of the user can not be used, and that is said [APR-43]', async () => {
    await withPlace(async (place) => {
      const file = path.join(place.home, DEFAULT);
      await place.write(file, 'prefix_rule([');
      const rules = await managedRules(place);
      expect(rules.matches(['curl']).map(({ decision }) => decision)).toEqual(['forbidden']);
      expect(place.warnings.map((warning) => warning.split(file)[0])).toEqual([
        'only rules of the administrator are in effect, because a rules file can not be used: ',
      ]);
    });
  });
});

describe('rules of files', () => {
  test('are those of the home folder, and of the project when it is given [APR-35]', async () => {
    await withPlace(async ({ home, project, warnings, rules, write }) => {
      await write(path.join(home, 'rules/b.rules'), 'prefix_rule(["ls"], "prompt")');
      await write(path.join(home, 'rules/a.rules'), 'prefix_rule(["ls"])');
      await write(path.join(home, 'rules/notes.txt'), 'no rules (');
      await write(path.join(project, 'rules/c.rules'), 'prefix_rule(["ls"], "forbidden")');
      const decisions = async (options?: { readonly withProject?: boolean }): Promise<readonly string[]> => {
        const loaded = rules(options);
        await loaded.load?.();
        return loaded.matches(['ls', '-l']).map(({ decision }) => decision);
      };
      expect([await decisions(), await decisions({ withProject: true }), warnings]).toEqual([
        ['allow', 'prompt'],
        ['allow', 'prompt', 'forbidden'],
        [],
      ]);
    });
  });

  test('are not read before the first command, and until then nothing is let through [APR-42]', async () => {
    await withPlace(async ({ home, rules, write }) => {
      const lazy = rules();
      await write(path.join(home, DEFAULT), 'prefix_rule(["ls"])');
      expect(lazy.matches(['ls']).map(({ decision }) => decision)).toEqual(['prompt']);
      await Promise.all([lazy.load?.(), lazy.load?.()]);
      expect(lazy.matches(['ls']).map(({ decision }) => decision)).toEqual(['allow']);
    });
  });

  test('are none without a folder [APR-35]', async () => {
    await withPlace(async ({ warnings, rules }) => {
      const loaded = rules({ withProject: true });
      await loaded.load?.();
      expect([loaded.matches(['ls']), warnings]).toEqual([[], []]);
    });
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['is no rules file', 'prefix_rule(', /b\.rules:1:13: expected a value, found the end of the line$/],
    ['has an example that does not hold', 'prefix_rule(["a"], match=["b"])', /b\.rules:1:27: the match example "b"/],
    ['is not UTF-8', Uint8Array.of(0xff, 0xfe), /b\.rules can not be read: it is not UTF-8 text$/],
    ['is too large', ' '.repeat(1_048_577), /b\.rules can not be read: it is larger than 1048576 bytes$/],
  ])('are none at all, with a warning, when one file %s [APR-36]', async (_title, content, reason) => {
    await withPlace(async ({ home, warnings, rules, write }) => {
      await write(path.join(home, 'rules/a.rules'), 'prefix_rule(["ls"])');
      await fs.writeFile(path.join(home, 'rules/b.rules'), content);
      const loaded = rules();
      await loaded.load?.();
      expect([loaded.matches(['ls']), warnings]).toEqual([[], [expect.stringMatching(reason)]]);
      expect(warnings[0]).toMatch(/^no rules for commands are in effect, because a rules file can not be used: /);
    });
  });

  test('are none when a folder stands in place of a file [APR-36]', async () => {
    await withPlace(async ({ home, warnings, rules }) => {
      await fs.mkdir(path.join(home, 'rules/a.rules'), { recursive: true });
      await rules().load?.();
      expect(warnings).toEqual([expect.stringMatching(/a\.rules can not be read: it is not a file$/)]);
    });
  });
});

describe('a rule that a person allowed', () => {
  test('is in effect at once and written for its owner alone [APR-37]', async () => {
    await withPlace(async ({ home, rules }) => {
      const first = rules();
      await first.allow(['npm', 'run', 'a "b"']);
      const file = path.join(home, DEFAULT);
      expect(first.matches(['npm', 'run', 'a "b"', '-x']).map(({ decision }) => decision)).toEqual(['allow']);
      expect(await fs.readFile(file, 'utf8')).toBe(
        'prefix_rule(pattern=["npm", "run", "a \\"b\\""], decision="allow")\n',
      );
      const modes = await Promise.all(
        [file, path.dirname(file)].map(async (name) => (await fs.stat(name)).mode & 0o777),
      );
      expect(modes).toEqual([0o600, 0o700]);
      const second = rules();
      await second.load?.();
      expect(second.matches(['npm', 'run', 'a "b"']).map(({ decision }) => decision)).toEqual(['allow']);
      expect(await fs.readdir(path.dirname(file))).toEqual(['default.rules']);
    });
  });

  test('is added behind what is there, and only once [APR-37]', async () => {
    await withPlace(async ({ home, rules, write }) => {
      const file = path.join(home, DEFAULT);
      await write(file, '# mine\nprefix_rule(["ls"])');
      const loaded = rules();
      for (const prefix of [['ls'], ['cat'], ['cat']]) await loaded.allow(prefix);
      expect(await fs.readFile(file, 'utf8')).toBe(
        '# mine\nprefix_rule(["ls"])\nprefix_rule(pattern=["cat"], decision="allow")\n',
      );
      expect(loaded.matches(['cat'])).toHaveLength(1);
    });
  });

  test('is not added to a file that can not be read as rules, and that is said [APR-37]', async () => {
    await withPlace(async ({ home, rules, write }) => {
      await write(path.join(home, DEFAULT), 'prefix_rule(');
      const loaded = rules();
      await expect(loaded.allow(['ls'])).rejects.toThrow(/default\.rules:1:13: /);
      expect([await fs.readFile(path.join(home, DEFAULT), 'utf8'), loaded.matches(['ls']).length]).toEqual([
        'prefix_rule(',
        1,
      ]);
    });
  });

  test('holds for the session when there is no place to write it [APR-37]', async () => {
    await withPlace(async ({ home, rules, write }) => {
      await write(path.join(home, 'rules'), 'a file');
      const loaded = rules();
      await loaded.load?.();
      await expect(loaded.allow(['ls'])).rejects.toThrow(/rules can not be made: it exists already$/);
      expect(loaded.matches(['ls']).map(({ decision }) => decision)).toEqual(['allow']);
      await expect(loaded.allow([])).rejects.toThrow('at least one word');
    });
  });

  test('is kept when many threads and processes write at once [APR-38]', async () => {
    await withPlace(async ({ home, rules }) => {
      const worker = path.join(home, 'allow-many.mjs');
      await build({
        entryPoints: [fileURLToPath(new URL('./allow-many.ts', import.meta.url))],
        ...{
          bundle: true,
          platform: 'node',
          format: 'esm',
          target: 'node20',
          outfile: worker,
          conditions: ['quire-source'],
        },
        ...{ logLevel: 'error' },
      });
      const run = promisify(execFile);
      const processes = ['a', 'b', 'c'].map((name) => run(process.execPath, [worker, home, name], { timeout: 20_000 }));
      const [one, two] = [rules(), rules()];
      await Promise.all([
        ...processes,
        ...Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? one : two).allow(['shared', String(index)])),
      ]);
      const lines = (await fs.readFile(path.join(home, DEFAULT), 'utf8')).split('\n').filter((line) => line !== '');
      const expected = [
        ...Array.from({ length: 10 }, (_, index) => ['shared', String(index)]),
        ...['a', 'b', 'c'].map((name) => ['own', name]),
      ].map(([word, other]) => `prefix_rule(pattern=["${word}", "${other}"], decision="allow")`);
      expect([...lines].sort()).toEqual([...expected].sort());
    });
  });
});
