import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Config, ConfigError, loadConfig } from '../../src/index.ts';

/** The settings of `js_repl`, with those of a trusted project in effect. */
async function load(files: { readonly user?: string; readonly project?: string }): Promise<Partial<Config>> {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'quire-javascript-')));
  const [home, project] = [path.join(root, 'home'), path.join(root, 'project')];
  try {
    for (const directory of [home, path.join(project, '.git'), path.join(project, '.codex')]) {
      fs.mkdirSync(directory, { recursive: true });
    }
    const trust = `[projects.${JSON.stringify(project)}]\ntrust_level = "trusted"\n`;
    fs.writeFileSync(path.join(home, 'config.toml'), `${files.user ?? ''}\n${trust}`);
    fs.writeFileSync(path.join(project, '.codex', 'config.toml'), files.project ?? '');
    const config = await loadConfig({ home, cwd: project, overrides: [], environment: { HOME: '/users/me' } });
    const { jsReplNodePath, jsReplNodeModuleDirs } = config;
    const relative = jsReplNodeModuleDirs.map((directory) => directory.replace(root, '<root>'));
    return { jsReplNodePath: jsReplNodePath?.replace(root, '<root>'), jsReplNodeModuleDirs: relative };
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

test('the program and the folders of packages are paths from where they were written [JS-73]', async () => {
  expect(await load({})).toEqual({ jsReplNodePath: undefined, jsReplNodeModuleDirs: [] });
  const user = 'js_repl_node_path = "~/node/bin/node"\njs_repl_node_module_dirs = ["/opt/packages", "own"]';
  expect(await load({ user })).toEqual({
    jsReplNodePath: '/users/me/node/bin/node',
    jsReplNodeModuleDirs: ['/opt/packages', '<root>/home/own'],
  });
});

test('a project may name folders of packages, but not the program that is started [JS-73]', async () => {
  const project = 'js_repl_node_path = "/srv/evil"\njs_repl_node_module_dirs = ["packages"]';
  expect(await load({ user: 'js_repl_node_path = "/usr/bin/node"', project })).toEqual({
    jsReplNodePath: '/usr/bin/node',
    jsReplNodeModuleDirs: ['<root>/project/.codex/packages'],
  });
});

test('other values are refused [JS-73]', async () => {
  await expect(load({ user: 'js_repl_node_path = 5' })).rejects.toThrow(ConfigError);
  await expect(load({ user: 'js_repl_node_module_dirs = "x"' })).rejects.toThrow(ConfigError);
});
