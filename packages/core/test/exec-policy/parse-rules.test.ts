import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowRuleText, matchRules, parseRules, type RuleSet, RulesError } from '../../src/exec-policy/index.ts';

const parse = (text: string): RuleSet => parseRules(text, { source: 'a.rules' });
const patterns = (text: string): unknown => parse(text).prefixRules.map(({ pattern }) => pattern);

function failure(text: string): RulesError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof RulesError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('a rules file is read [APR-31]', () => {
  test('with everything that a rule can say', () => {
    const text = `# the team's rules
"""Notes can stand here."""
LIST = ["status", "log"]
prefix_rule(
    pattern = ["git", LIST],  # alternatives
    decision = "prompt",
    justification = 'reads',
    match = ["git status -s", ["git", "log", "a b"]],
    not_match = ["git push"],
)
prefix_rule(["ls"]); pass
host_executable(name = "git", paths = ["/usr/bin/git", "/opt/git/bin/git"])
network_rule(host = "Example.com", protocol = "https", decision = "deny", justification = "no")
`;
    expect(parse(text)).toEqual({
      prefixRules: [
        { pattern: [['git'], ['status', 'log']], decision: 'prompt', justification: 'reads' },
        { pattern: [['ls']], decision: 'allow', justification: undefined },
      ],
      hostExecutables: new Map([['git', ['/usr/bin/git', '/opt/git/bin/git']]]),
      networkRules: [{ host: 'example.com', protocol: 'https', decision: 'forbidden', justification: 'no' }],
    });
  });

  test.each<[string, unknown]>([
    ['', []],
    ['\n\n# nothing\n', []],
    ['prefix_rule(["a"], "prompt")', [[['a']]]],
    ['prefix_rule(pattern=["a",])', [[['a']]]],
    ['prefix_rule(pattern=["a",\n\n  # note\n "b"],)', [[['a'], ['b']]]],
    ["prefix_rule(pattern=['a\\'b', \"c'd\"])", [[["a'b"], ["c'd"]]]],
    ['prefix_rule(pattern=["""a\nb""", \'\'\'c"d\'\'\'])', [[['a\nb'], ['c"d']]]],
    ['prefix_rule(pattern=[r"\\d", "\\\\d"])', [[['\\d'], ['\\d']]]],
    ['prefix_rule(pattern=["\\x6c\\u0073\\163\\n\\t"])', [[['lss\n\t']]]],
    ['prefix_rule(pattern=["a\\q"])', [[['a\\q']]]],
    ['prefix_rule(pattern=["a" + "b"] + ["c"])', [[['ab'], ['c']]]],
    ['x = "a"\ny = [x, "b"]\nprefix_rule(pattern=[y])', [[['a', 'b']]]],
    ['prefix_rule(pattern=(["a"]))', [[['a']]]],
    ['prefix_rule(pattern=["a"]) # end', [[['a']]]],
    ['\ufeffprefix_rule(pattern=["ü"])\r\n', [[['ü']]]],
    ['prefix_rule(pattern=["a"], \\\n decision="allow")', [[['a']]]],
    ['x = 1\nTrue\npass', []],
    ['prefix_rule(pattern=[""])', [[['']]]],
  ])('%j', (text, expected) => {
    expect(patterns(text)).toEqual(expected);
  });
});

describe('a rules file that can not be used is refused with the place and the remedy [APR-32]', () => {
  test.each<[string, RulesError['code'], string]>([
    [
      'prefix_rule(pattern=["ls"',
      'syntax',
      '1:26: expected `,` between the items of a list, or a closing bracket, found the end of the line',
    ],
    ['\n foo()', 'syntax', '2:2: there is no function foo; use one of prefix_rule, host_executable, network_rule'],
    ['prefix_rule(pattern=["a\nb"])', 'syntax', '1:22: the string that begins here does not end; close it with "'],
    [
      'prefix_rule(pattern=["a"]',
      'syntax',
      '1:26: expected `,` between arguments, or a closing bracket, found the end of the line',
    ],
    ['prefix_rule(pattern=["a"]) x', 'syntax', '1:28: expected the end of the line behind this statement, found `x`'],
    [
      'prefix_rule(pattern=[x])',
      'syntax',
      '1:22: the name x has no value; put text in quotes, or give it a value above',
    ],
    ['def f():\n  pass', 'syntax', '1:1: `def` is not supported in rules files; write the calls one by one'],
    ['load("a", "b")', 'syntax', '1:1: `load` is not supported in rules files; write the calls one by one'],
    ['prefix_rule(pattern=["a" + 1])', 'syntax', '1:26: only strings or lists can be added to each other'],
    [
      'prefix_rule(pattern=["a"] if x)',
      'syntax',
      '1:27: `if` is not supported in rules files; write the calls one by one',
    ],
    [
      'x = {"a": 1}',
      'syntax',
      '1:5: "{" is not understood; a rules file holds calls such as prefix_rule(pattern = ["git", "status"])',
    ],
    [
      'x == 1',
      'syntax',
      '1:3: "=" is not understood; a rules file holds calls such as prefix_rule(pattern = ["git", "status"])',
    ],
    ['prefix_rule(pattern=["\\x4"])', 'syntax', '1:23: the escape \\x is not understood; write \\\\ for a backslash'],
    ['prefix_rule(pattern=["a"], pattern=["b"])', 'syntax', '1:28: the argument pattern is given twice; keep one'],
    [
      'prefix_rule(decision="allow", ["a"])',
      'syntax',
      '1:31: an argument by position can not follow one by name; name it too',
    ],
    ['prefix_rule(["a"], pattern=["b"])', 'invalid-rule', '1:20: the argument pattern is given twice; keep one'],
    ['prefix_rule()', 'invalid-rule', '1:1: prefix_rule needs the argument pattern; add it'],
    ['prefix_rule(pattern=[])', 'invalid-rule', '1:21: pattern must not be empty; name a program'],
    [
      'prefix_rule(pattern="ls")',
      'invalid-rule',
      '1:21: pattern must be a list, found a string; put it in square brackets',
    ],
    [
      'prefix_rule(pattern=["ls", []])',
      'invalid-rule',
      '1:28: a list of alternatives must not be empty; name at least one word',
    ],
    ['prefix_rule(pattern=[1])', 'invalid-rule', '1:22: pattern takes strings and lists of strings, found a number'],
    ['prefix_rule(pattern=[["a", None]])', 'invalid-rule', '1:28: alternatives must be strings, found None'],
    [
      'prefix_rule(pattern=["a"], decision="deny")',
      'invalid-rule',
      '1:37: decision must be one of allow, prompt, forbidden, found "deny"',
    ],
    ['prefix_rule(pattern=["a"], decision=True)', 'invalid-rule', '1:37: decision must be a string, found a boolean'],
    [
      'prefix_rule(pattern=["a"], justification="")',
      'invalid-rule',
      '1:42: justification must not be empty; leave it out instead',
    ],
    [
      'prefix_rule(pattern=["a"], bogus=1)',
      'invalid-rule',
      '1:28: prefix_rule has no argument bogus; it takes pattern, decision, match, not_match, justification',
    ],
    [
      'prefix_rule(["a"], "allow", [], [], "x", "y")',
      'invalid-rule',
      '1:42: prefix_rule has too many arguments; it takes pattern, decision, match, not_match, justification',
    ],
    [
      'prefix_rule(pattern=["a"], match=["b"])',
      'example',
      '1:35: the match example "b" is not matched by its rule; change the pattern or the example',
    ],
    [
      'prefix_rule(pattern=["a"], not_match=[["a", "b"]])',
      'example',
      '1:39: the not_match example "a b" is matched by its rule; change the pattern or the example',
    ],
    [
      'prefix_rule(pattern=["a"], not_match=["/usr/bin/a"])',
      'example',
      '1:39: the not_match example "/usr/bin/a" is matched by its rule; change the pattern or the example',
    ],
    ['prefix_rule(pattern=["a"], match=[""])', 'invalid-rule', '1:35: an example must not be empty'],
    ['prefix_rule(pattern=["a"], match=[[]])', 'invalid-rule', '1:35: an example must not be empty'],
    [
      'prefix_rule(pattern=["a"], match=["a \'b"])',
      'invalid-rule',
      '1:35: a quote of the example is not closed; close it or use a list',
    ],
    [
      'host_executable(name="/a/git", paths=[])',
      'invalid-rule',
      '1:22: name must be a file name without a folder, found "/a/git"',
    ],
    ['host_executable(name="git", paths=["git"])', 'invalid-rule', '1:36: paths must be absolute, found "git"'],
    ['host_executable(name="git", paths=["/a/gitx"])', 'invalid-rule', '1:36: the path "/a/gitx" must end with /git'],
    ['host_executable(name="git")', 'invalid-rule', '1:1: host_executable needs the argument paths; add it'],
    [
      'network_rule(host="*.x.com", protocol="https", decision="allow")',
      'invalid-rule',
      '1:19: host must be one host; wildcards are not allowed',
    ],
    [
      'network_rule(host="https://x.com", protocol="https", decision="allow")',
      'invalid-rule',
      '1:19: host must be a host name or an address, without scheme, port or path',
    ],
    [
      'network_rule(host="x.com", protocol="ftp", decision="allow")',
      'invalid-rule',
      '1:37: protocol must be one of http, https, socks5_tcp, socks5_udp, found "ftp"',
    ],
    [
      'network_rule(host="x.com", protocol="https")',
      'invalid-rule',
      '1:1: network_rule needs the argument decision; add it',
    ],
  ])('%j', (text, code, message) => {
    const error = failure(text);
    expect([error.code, error.message]).toEqual([code, `a.rules:${message}`]);
  });

  test('also when it was made to be costly', () => {
    const cpuBefore = process.cpuUsage();
    failure(`x = ${'['.repeat(100_000)}`);
    failure(`x = ${'('.repeat(100_000)}`);
    failure(`x = "${'a'.repeat(1_000_000)}`);
    expect(parse('prefix_rule(["a"])\n'.repeat(10_000)).prefixRules).toHaveLength(10_000);
    expect(process.cpuUsage(cpuBefore).user / 1_000).toBeLessThan(20_000);
  }, /* timeoutMs */ 30_000);

  test('and with nothing but such an error, whatever stands in it', () => {
    const piece = fc.constantFrom(
      ...[
        'prefix_rule(',
        'pattern=',
        '[',
        ']',
        ')',
        '"a"',
        "'''",
        '"""',
        'r"',
        ',',
        '=',
        '+',
        '\n',
        ';',
        '#',
        '\\',
        '1',
        'x',
        '(',
        ' ',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          parse(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(RulesError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a command is matched by its first words [APR-33]', () => {
  const RULES = parse(`
prefix_rule(pattern=["git", ["status", "log"]], decision="allow", justification="reads")
prefix_rule(pattern=["git"], decision="prompt")
prefix_rule(pattern=["rm"], decision="forbidden")
prefix_rule(pattern=["rm", "-i"])
prefix_rule(pattern=["make"])
prefix_rule(pattern=["node"])
host_executable(name="node", paths=["/opt/node/bin/node"])
`);
  test.each<[string, string]>([
    ['git status', 'allow git status;prompt git'],
    ['git log -1', 'allow git log;prompt git'],
    ['git push', 'prompt git'],
    ['git', 'prompt git'],
    ['gitx', ''],
    ['rm -i x', 'forbidden rm;allow rm -i'],
    ['/bin/rm x', 'forbidden rm @/bin/rm'],
    ['/anywhere/rm x', 'forbidden rm @/anywhere/rm'],
    ['./rm x', ''],
    ['/usr/bin/make', 'allow make @/usr/bin/make'],
    ['/tmp/make', ''],
    ['/opt/node/bin/node x', 'allow node @/opt/node/bin/node'],
    ['/usr/bin/node x', ''],
    ['node x', 'allow node'],
    ['', ''],
  ])('%j: %s', (command, expected) => {
    const matches = matchRules(RULES, command.split(' '));
    const texts = matches.map(({ decision, matchedPrefix, resolvedProgram }) =>
      [decision, ...matchedPrefix, ...(resolvedProgram === undefined ? [] : [`@${resolvedProgram}`])].join(' '),
    );
    expect(texts.join(';')).toBe(expected);
  });

  test('a rule for a path goes before one for the name', () => {
    const rules = parse('prefix_rule(["git"], "forbidden")\nprefix_rule(["/usr/bin/git"])');
    expect(matchRules(rules, ['/usr/bin/git', 'x']).map(({ decision }) => decision)).toEqual(['allow']);
  });
});

test('a rule that is written down is read back as the same words [APR-34]', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('"', '\\', "'", '\n', '\u2028', '\ud800', '\u007f'),
  );
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (prefix) => {
      const text = allowRuleText(prefix);
      expect(text.split('\n')).toHaveLength(2);
      expect(patterns(text)).toEqual([prefix.map((part) => [part])]);
    }),
  );
});
