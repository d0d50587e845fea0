import { describe, expect, test } from 'vitest';
import { detectPatchArgv, detectPatchScript } from '../../src/patch/index.ts';

const PATCH = "*** Begin Patch\n*** Add File: x\n+it's $HOME\n*** End Patch";
const call = (opener: string, end = 'EOF'): string => `apply_patch ${opener}\n${PATCH}\n${end}`;

test('the program with one argument is a patch call [PATCH-40]', () => {
  expect(detectPatchArgv(['apply_patch', PATCH])).toEqual({ kind: 'patch', patch: PATCH });
  expect(detectPatchArgv(['applypatch', PATCH])).toEqual({ kind: 'patch', patch: PATCH });
  expect(detectPatchArgv(['apply_patch', PATCH, 'more'])).toBeUndefined();
  expect(detectPatchArgv(['apply_patch'])).toBeUndefined();
  expect(detectPatchArgv([])).toBeUndefined();
});

describe('a script that is one heredoc call is a patch call [PATCH-41]', () => {
  test.each([
    ['single quotes', call("<<'EOF'")],
    ['double quotes', call('<<"EOF"')],
    ['no quotes', call('<<EOF')],
    ['a blank before the delimiter', call("<< 'EOF'")],
    ['another delimiter', call("<<'PATCH-1'", 'PATCH-1')],
    ['white space around', `\n  ${call("<<'EOF'")}\n\n`],
    ['the other spelling', call("<<'EOF'").replace('apply_patch', 'applypatch')],
  ])('%s', (_name, script) => {
    expect(detectPatchScript(script)).toEqual({ kind: 'patch', patch: PATCH });
  });

  test.each([
    ['bash', '-lc'],
    ['/bin/zsh', '-c'],
    ['sh', '-c'],
    ['C:\\Windows\\powershell.exe', '-Command'],
    ['cmd', '/c'],
  ])('given to %s %s', (shell, flag) => {
    expect(detectPatchArgv([shell, flag, call("<<'EOF'")])).toEqual({ kind: 'patch', patch: PATCH });
  });
});

describe('a folder to change to comes before the patch [PATCH-42]', () => {
  test.each([
    ['a bare word', 'cd sub/dir && ', 'sub/dir'],
    ['single quotes', "cd 'my dir' && ", 'my dir'],
    ['double quotes', 'cd "my dir"&&', 'my dir'],
    ['an absolute folder', 'cd /srv/app && ', '/srv/app'],
  ])('%s', (_name, prefix, cwdOffset) => {
    expect(detectPatchScript(prefix + call("<<'EOF'"))).toEqual({ kind: 'patch', patch: PATCH, cwdOffset });
  });
});

describe('anything else is an ordinary command [PATCH-43]', () => {
  test.each([
    ['a command before', `echo hi && ${call("<<'EOF'")}`],
    ['a command after', `${call("<<'EOF'")}\necho done`],
    ['a command behind the opener', call("<<'EOF' && echo done")],
    ['a pipe behind the opener', call("<<'EOF' | cat")],
    ['two folders', `cd a && cd b && ${call("<<'EOF'")}`],
    ['a folder with two words', `cd a b && ${call("<<'EOF'")}`],
    ['a folder joined by a semicolon', `cd a; ${call("<<'EOF'")}`],
    ['a folder joined by or', `cd a || ${call("<<'EOF'")}`],
    ['a variable folder', `cd "$DIR" && ${call("<<'EOF'")}`],
    ['a home folder', `cd ~/x && ${call("<<'EOF'")}`],
    ['the previous folder', `cd - && ${call("<<'EOF'")}`],
    ['an argument', `apply_patch --help <<'EOF'\n${PATCH}\nEOF`],
    ['a missing delimiter', `apply_patch <<'EOF'\n${PATCH}`],
    ['another program', call("<<'EOF'").replace('apply_patch', 'xapply_patch')],
    ['a tab-stripping heredoc', call("<<-'EOF'")],
    ['a plain command', 'ls -la'],
  ])('%s', (_name, script) => {
    expect(detectPatchScript(script)).toBeUndefined();
    expect(detectPatchArgv(['bash', '-lc', script])).toBeUndefined();
  });

  test('another shell flag or program', () => {
    expect(detectPatchArgv(['bash', '-C', call("<<'EOF'")])).toBeUndefined();
    expect(detectPatchArgv(['bash', '-x', call("<<'EOF'")])).toBeUndefined();
    expect(detectPatchArgv(['python', '-c', call("<<'EOF'")])).toBeUndefined();
    expect(detectPatchArgv([call("<<'EOF'")])).toBeUndefined();
  });
});

test('a patch given as the command itself is told apart [PATCH-44]', () => {
  expect(detectPatchArgv([PATCH])).toEqual({ kind: 'raw-patch' });
  expect(detectPatchArgv(['bash', '-lc', `\n${PATCH}\n`])).toEqual({ kind: 'raw-patch' });
  expect(detectPatchScript('*** Begin Patch\nmalformed')).toEqual({ kind: 'raw-patch' });
});
