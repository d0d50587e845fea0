import { describe, expect, test } from 'vitest';
import { isKnownSafeArgv, isKnownSafeCommand } from '../../src/shell/index.ts';

describe('commands that only read are known safe [SHELL-05]', () => {
  test.each(
    [
      'ls',
      'ls -la src/*.ts',
      'cat a b',
      'pwd && ls | head -n 5',
      'cd src && cat x.ts',
      "grep -rn 'a b' .",
      'wc -l *',
      'nl -ba f',
      '/bin/ls',
      '/usr/bin/wc -l f',
      'whoami; id; uname -a',
      'echo "hi there" || true',
      'base64 -d f',
      'base64 -w0 f',
      'base64 --decode f',
      'find . -name "*.ts" -type f',
      "rg -n 'foo|bar' src",
      'rg --files',
      'rg --pretty x',
      'sed -n 5p f',
      "sed -n '1,200p' f",
      'cat f | sed -n 2p',
      'tail f',
      'tail -n 20 f',
      'tail -n +5 f',
      'tail -5 f',
      'tail --lines=3 f',
      'uniq -c',
      'uniq f',
      'seq 1 10',
      'seq -w 1 2 9',
      'cut -d: -f1 f',
      'tr a b',
      'stat f',
      'which node',
      'paste a b',
      'rev f',
      'expr 1 + 1',
      'numfmt 1',
      'tac f',
      'false',
    ].map((script) => [script]),
  )('%s', (script) => {
    expect(isKnownSafeCommand(script)).toBe(true);
  });
});

describe('a way around the list is not known safe [SHELL-06]', () => {
  test.each(
    [
      // Programs that are not on it
      '',
      'rm f',
      'git status',
      'git log',
      'sort -o f f',
      'tee f',
      'xargs ls',
      'env ls',
      'awk 1',
      'perl -e 1',
      'sh -c ls',
      'bash -lc ls',
      'eval ls',
      'exec ls',
      'command ls',
      '. ./f',
      'source f',
      'node -v',
      'yes',
      'test -f x',
      'touch f',
      'cp a b',
      'alias ls=rm',
      // The same name elsewhere
      './ls',
      'bin/ls',
      '/tmp/ls',
      '/usr/local/bin/ls',
      '/bin/../tmp/ls',
      '/usr/bin/x/ls',
      '//bin/ls',
      '~/ls',
      'LS',
      '"ls "',
      '/bin/',
      // One unsafe part is enough
      'ls && rm f',
      'ls; rm f',
      'ls | sh',
      'ls || rm f',
      'ls\nrm f',
      'ls \n\n rm f',
      'cat f | xargs rm',
      'rm f && ls',
      // Shell syntax
      'ls > f',
      'ls >> f',
      'ls 2> f',
      'cat < f',
      'ls $(rm x)',
      'ls `rm x`',
      'ls "$(rm x)"',
      'cat <(rm x)',
      'cat <<EOF\nEOF',
      'ls & rm x',
      'ls &',
      '(ls)',
      'PATH=. ls',
      'A=1 ls',
      'echo $SECRET',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell variable
      'echo ${x:=y}',
      'if ls; then ls; fi',
      '! ls',
      'ls {a,b}',
      'ls\\\n',
      'ls # x',
      'ls\rrm x',
      'ls\u00A0x',
      'ls\u2028rm x',
      'ls\u0085rm x',
      'ls ~root',
      'l\\s',
      "ls 'x\ny'",
      'ls "x\ny"',
      "ls '\u001b[2J'",
      // find
      'find . -exec rm {} +',
      'find . -exec rm f +',
      'find . -execdir rm f +',
      'find . -ok rm f',
      'find . -okdir rm f',
      'find . -delete',
      'find . -fls f',
      'find . -fprint f',
      'find . -fprint0 f',
      'find . -fprintf f %p',
      "find . '-delete'",
      'find . -d"elete"',
      'find *',
      'find . "-exec" rm f +',
      // rg
      'rg --pre cmd x',
      'rg --pre=cmd x',
      "rg '--pre' cmd x",
      'rg --hostname-bin=cmd x',
      'rg --hostname-bin cmd x',
      'rg -z x',
      'rg -nz x',
      'rg --search-zip x',
      'rg --search x',
      'rg x *',
      'rg --p"re"=cmd x',
      // sed
      "sed -n 's/x/w file'",
      "sed -n 's/x/y/w file' f",
      "sed -n '1e rm x' f",
      "sed -n '1w file' f",
      'sed -i 1p f',
      "sed -n '1p;w f' f",
      "sed -n '1p\nw file' f",
      'sed -n 1p -i f',
      'sed -n 1p -i',
      "sed -n 1p '-ew out'",
      'sed -n 1p a b',
      'sed -ni 1p f',
      'sed 1p f',
      'sed -n -e 1p f',
      'sed -n 1p --in-place',
      'sed --quiet 1p f',
      'sed -n p',
      'sed -n 1,2,3p',
      'sed -n 1p *',
      'sed -n',
      // base64
      'base64 -o f',
      'base64 -of',
      'base64 -do f',
      'base64 -i a -o b',
      'base64 --output=f',
      'base64 --output f',
      'base64 --out f',
      'base64 *',
      // Never ends
      'tail -f f',
      'tail -F f',
      'tail --follow f',
      'tail --follow=name f',
      'tail -n5 -f f',
      'tail -5f f',
      'tail -qf f',
      'tail +5f f',
      'tail --pid 1 f',
      'tail --pid=1 f',
      'tail --retry f',
      'tail --fol f',
      'tail *',
      'seq inf',
      'seq 1 INFINITY',
      'seq 1e999',
      'seq 99999999999',
      'seq 1 0.0000001 9',
      'seq nan',
      // uniq writes its second operand
      'uniq a b',
      'uniq -c a b',
      'uniq - b',
      'uniq -- -a b',
      'uniq *',
    ].map((script) => [script]),
  )('%j', (script) => {
    expect(isKnownSafeCommand(script)).toBe(false);
  });
});

test('an argument list is judged as it is, without a shell [SHELL-07]', () => {
  expect(isKnownSafeArgv(['cat', 'a b', '$HOME', '*'])).toBe(true);
  expect(isKnownSafeArgv(['rg', '--pre', 'cmd'])).toBe(false);
  expect(isKnownSafeArgv(['bash', '-lc', 'ls'])).toBe(false);
  expect(isKnownSafeArgv([])).toBe(false);
});

test('a very long script is judged in linear time [SHELL-08]', () => {
  const cpuBefore = process.cpuUsage();
  expect(isKnownSafeCommand(`echo ${"'a'b ".repeat(100_000)}; ls`)).toBe(true);
  expect(isKnownSafeCommand('ls;'.repeat(100_000))).toBe(true);
  expect(isKnownSafeCommand(`${'ls '.repeat(100_000)}>f`)).toBe(false);
  expect(process.cpuUsage(cpuBefore).user / 1_000).toBeLessThan(4_000);
});

test.each([
  'cat /proc/*/environ',
  'cat /proc/self/environ',
  'cat //proc/1/environ',
  'cat /./proc/1/environ',
  'cat ../../../../proc/1/environ',
  'head -c 9 /dev/zero',
  'grep -r sk- /',
  'grep -r sk- ../../..',
  'cat /p*/1/environ',
  'cat ../../p*/1/environ',
  'cd / && cat proc/1/environ',
  'cd /proc && cat 1/environ',
  'cd .. && cat x',
  'cd ~ && cat x',
  'grep --file=/proc/1/environ x',
])('%s could read what other processes hold, so it is not a plain reading command [SHELL-30]', (script) => {
  expect(isKnownSafeCommand(script)).toBe(false);
});

test.each([
  'cat x > /dev/null',
  'cat ../x',
  'cat ../process/dev.md',
  'ls /etc',
  'cd src/dev && ls',
  'ls ..',
  'cat /tmp/proc',
])('%s is judged by its program alone [SHELL-30]', (script) => {
  expect(isKnownSafeCommand(script)).toBe(!script.includes('>'));
});
