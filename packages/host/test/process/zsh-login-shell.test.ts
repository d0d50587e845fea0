// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell scripts
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startRunner } from '../support/runner.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PATH = ['/bin/zsh', '/usr/bin/zsh'].find((path) => existsSync(path)) ?? '';
const ZSH = { name: 'zsh', path: PATH };
const BASE = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' };

const ENV = `echo read >> "$HOME/count"
export PATH="$HOME/every:$PATH"
from_env() { echo "from env: $1"; }
`;

const PROFILE = `echo noise; echo noise >&2
export PATH="$HOME/bin:$PATH" GREETING='a "quoted" $value
over two lines'
plain='not exported'; list=(one 'two words' three); typeset -A table=(key 'va lue'); typeset -i number=4
typeset -T LD_THINGS ld_things; ld_things=(/a /b)
fpath=($HOME/functions $fpath); autoload -U loaded
greet() { echo "hello $1 from $plain
and more"; }
setopt extended_glob null_glob pipe_fail
unsetopt nomatch
alias ll='echo alias'
alias -g G='| tr a-z A-Z'
hash -d there=/usr
umask 027
trap 'echo leaving' EXIT
`;

const SCRIPTS = [
  'echo "$PATH" $path; tool',
  'printf "%s" "$GREETING"; typeset -p GREETING',
  'greet you; functions greet',
  'from_env x; loaded',
  'echo "$plain ${list[2]} ${table[key]} $((number + 1))"; number=2+3; echo $number',
  'echo $LD_THINGS; ld_things+=(/c); echo $LD_THINGS',
  'zsh -fc \'echo "${plain-unset} ${ZDOTDIR-unset} $PATH"\'; echo ${ZDOTDIR-unset}',
  'echo /missing/*; print -l /(usr|bin)(N); setopt | grep -v login',
  'eval ll; eval "echo abc G"; alias -L',
  'umask; echo ~there',
  'false | true; echo $?; echo ${-//l/}',
  'echo $0 $# $SHLVL',
  'env | cut -d= -f1 | grep -v QUIRE_OWNER | sort',
  'missing-command',
  'pwd; echo $PWD; cd /; pwd',
  'exit 7',
];

async function homeWith(files: Readonly<Record<string, string>>) {
  const home = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) await writeFile(join(home.path, name), text);
  for (const folder of ['bin', 'functions']) await mkdir(join(home.path, folder));
  await writeFile(join(home.path, 'bin/tool'), '#!/bin/sh\necho tool ran\n', { mode: 0o755 });
  await writeFile(join(home.path, 'functions/loaded'), 'echo loaded\n');
  return home;
}

async function countReads(home: string): Promise<number> {
  return (await readFile(join(home, 'count'), 'utf8')).split('\n').length - 1;
}

function realLogin(script: string, { home, cwd }: { readonly home: string; readonly cwd: string }) {
  return spawnSync(PATH, ['-lc', script], {
    cwd,
    env: { ...BASE, HOME: home, CODEX_THREAD_ID: 'thread-1' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

describe.skipIf(PATH === '')('zsh', () => {
  test('commands with the captured state can not be told from real login shells [HOST-26]', async () => {
    await using home = await homeWith({ '.zshenv': ENV, '.zprofile': PROFILE });
    await using runner = startRunner({ environment: { ...BASE, HOME: home.path }, shell: ZSH });
    for (const script of SCRIPTS) {
      const real = realLogin(script, { home: home.path, cwd: home.path });
      const captured = await runner.run(script, { login: true, cwd: home.path });
      const withoutNoise = (text: string) => text.replace(/^noise\n/, '');
      expect({ script, output: captured.output, end: captured.end }).toEqual({
        script,
        output: withoutNoise(real.stdout) + withoutNoise(real.stderr),
        end: { kind: 'exited', exitCode: real.status },
      });
    }
  });

  test('the startup files are read once, however many commands run [HOST-26]', async () => {
    await using home = await homeWith({ '.zshenv': ENV, '.zprofile': PROFILE });
    await using runner = startRunner({ environment: { ...BASE, HOME: home.path }, shell: ZSH });
    const outcomes = await Promise.all([1, 2, 3].map((number) => runner.run(`from_env ${number}`, { login: true })));
    expect(outcomes.map(({ output }) => output)).toEqual([1, 2, 3].map((number) => `from env: ${number}\nleaving\n`));
    expect(await countReads(home.path)).toBe(1);
  });

  test('a ZDOTDIR of the user is theirs still, and the private one is gone after close [HOST-25, HOST-26]', async () => {
    await using home = await homeWith({ '.zshenv': `${ENV}export ZDOTDIR="$HOME/it's zsh"\n` });
    await mkdir(join(home.path, "it's zsh"));
    await writeFile(join(home.path, "it's zsh", '.zprofile'), 'export SEEN=yes\n');
    const runner = startRunner({ environment: { ...BASE, HOME: home.path, TMPDIR: home.path }, shell: ZSH });
    const { output } = await runner.run('echo $SEEN $ZDOTDIR; tr "\\0" "\\n" < /proc/$$/environ | grep ^ZDOTDIR', {
      login: true,
    });
    const [seen, variable = ''] = output.split('\n');
    expect([seen, await countReads(home.path)]).toEqual([`yes ${home.path}/it's zsh`, 1]);
    const directory = variable.replace('ZDOTDIR=', '');
    expect(await readdir(directory)).toEqual(['.zshenv']);
    await runner[Symbol.asyncDispose]();
    await expect(readdir(directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each([
    ['change the directory', 'cd /usr\n', 'pwd'],
    ['limit resources', 'ulimit -S -c 0; ulimit -S -n 99\n', 'ulimit -n'],
    ['end the shell', '[[ -t 0 ]] || exec /bin/sh -c "echo other"\n', 'echo never'],
    ['set what can not be set again', 'typeset -r fixed=1; typeset -ri count=2\n', 'echo $fixed $((count + 1))'],
    ['take an alias away', 'unalias run-help\n', 'alias run-help'],
    ['name a style', 'zstyle ":a:*" b c d\n', 'zstyle -L'],
    ['stop at errors and unset variables', 'setopt err_exit no_unset\n', 'echo a; false; echo b'],
  ])('startup files that %s behave as in a login shell [HOST-26]', async (_, profile, script) => {
    await using home = await homeWith({ '.zprofile': profile });
    await using runner = startRunner({ environment: { ...BASE, HOME: home.path }, shell: ZSH });
    const real = realLogin(script, { home: home.path, cwd: '/tmp' });
    const { output, end } = await runner.run(script, { login: true, cwd: '/tmp' });
    expect({ output, end }).toEqual({
      output: real.stdout + real.stderr,
      end: { kind: 'exited', exitCode: real.status },
    });
  });
});
