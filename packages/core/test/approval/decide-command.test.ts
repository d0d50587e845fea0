import type { ApprovalPolicy } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { decideCommand } from '../../src/approval/decide-command.ts';
import { granular, MemoryRules, sandboxPolicy } from './approval-context.ts';

type Verdict = 'run' | 'out' | 'ask' | 'ask-out' | 'no';

const POLICIES: Readonly<Record<string, ApprovalPolicy>> = {
  untrusted: 'untrusted',
  'on-request': 'on-request',
  'on-failure': 'on-failure',
  never: 'never',
  granular: granular({ sandboxApproval: true, rules: true }),
  'granular, no sandbox': granular({ sandboxApproval: false, rules: true }),
  'granular, no rules': granular({ sandboxApproval: true, rules: false }),
};

const COMMANDS: Readonly<Record<string, { readonly argv: readonly string[]; readonly escalated?: boolean }>> = {
  safe: { argv: ['bash', '-lc', 'ls && cat a | head -n 3'] },
  'safe argv': { argv: ['ls', '-l'] },
  dangerous: { argv: ['bash', '-lc', 'cd a && { rm -rf b; }'] },
  'dangerous argv': { argv: ['sudo', 'rm', '-f', 'x'] },
  other: { argv: ['bash', '-lc', 'npm test'] },
  opaque: { argv: ['bash', '-lc', 'ls > f'] },
  heredoc: { argv: ['bash', '-lc', "cat <<'E'\na\nE"] },
  escalated: { argv: ['bash', '-lc', 'npm test'], escalated: true },
  'safe escalated': { argv: ['bash', '-lc', 'ls'], escalated: true },
  'allowed by a rule': { argv: ['bash', '-lc', 'make all && make test'] },
  'allowed in part': { argv: ['bash', '-lc', 'make all && npm test'] },
  'asked for by a rule': { argv: ['bash', '-lc', 'git push'] },
  'forbidden by a rule': { argv: ['bash', '-lc', 'ls && curl x'] },
};

const RULES = new MemoryRules([
  ['allow', 'make'],
  ['prompt', 'git', 'push'],
  ['forbidden', 'curl'],
]);

/** `run`: as the settings confine it; `out`: without the sandbox; `ask…`: the same after a yes; `no`: refused. */
const TABLE = `
                     | untrusted | on-request | on-failure | never   | granular | granular, no sandbox | granular, no rules
safe                 | run       | run        | run        | run     | run      | run                  | run
safe argv            | run       | run        | run        | run     | run      | run                  | run
dangerous            | ask       | ask        | ask        | no      | ask      | no                   | ask
dangerous argv       | ask       | ask        | ask        | no      | ask      | no                   | ask
other                | ask       | run        | run        | run     | run      | run                  | run
opaque               | ask       | run        | run        | run     | run      | run                  | run
heredoc              | ask       | run        | run        | run     | run      | run                  | run
escalated            | no        | ask-out    | no         | no      | ask-out  | no                   | ask-out
safe escalated       | no        | run        | no         | no      | run      | no                   | run
allowed by a rule    | out       | out        | out        | out     | out      | out                  | out
allowed in part      | ask       | run        | run        | run     | run      | run                  | run
asked for by a rule  | ask       | ask        | ask        | no      | ask      | ask                  | no
forbidden by a rule  | no        | no         | no         | no      | no       | no                   | no
`;
/** With full access nothing is confined, so escalation is nothing to ask about. */
const IN_FULL_ACCESS: Readonly<Record<string, Verdict>> = {
  'escalated/on-request': 'out',
  'escalated/granular': 'out',
  'escalated/granular, no rules': 'out',
};

const [header = '', ...lines] = TABLE.trim().split('\n');
const policyNames = header
  .split('|')
  .slice(1)
  .map((name) => name.trim());
const ROWS = lines.flatMap((line) => {
  const [kind = '', ...verdicts] = line.split('|').map((cell) => cell.trim());
  return verdicts.flatMap((verdict, index) =>
    (['read-only', 'workspace-write', 'danger-full-access'] as const).map((mode) => {
      const policy = policyNames[index] ?? '';
      const expected = mode === 'danger-full-access' ? (IN_FULL_ACCESS[`${kind}/${policy}`] ?? verdict) : verdict;
      return [kind, policy, mode, expected] as const;
    }),
  );
});

function decide(
  command: { readonly argv: readonly string[]; readonly escalated?: boolean },
  options: {
    readonly policy: ApprovalPolicy;
    readonly mode?: (typeof ROWS)[number][2];
    readonly rules?: MemoryRules;
    readonly prefixRule?: readonly string[];
  },
): ReturnType<typeof decideCommand> {
  const { policy, mode = 'workspace-write', rules = RULES, prefixRule } = options;
  return decideCommand({
    argv: command.argv,
    permissions: { escalated: command.escalated === true, justification: undefined, prefixRule },
    settings: { approvalPolicy: policy, sandbox: sandboxPolicy(mode) },
    rules,
  });
}

function verdictOf(decision: ReturnType<typeof decideCommand>): Verdict {
  if (decision.kind === 'refuse') return 'no';
  if (decision.kind === 'run') return decision.unconfined ? 'out' : 'run';
  return decision.unconfined ? 'ask-out' : 'ask';
}

test('the decision table is complete [APR-03]', () => {
  expect(ROWS.length).toBe(Object.keys(COMMANDS).length * Object.keys(POLICIES).length * 3);
});

test.each(ROWS)('a command that is %s under %s in %s: %s [APR-03]', (kind, policyName, mode, expected) => {
  const policy = POLICIES[policyName];
  const command = COMMANDS[kind];
  if (policy === undefined || command === undefined) throw new Error('unknown row');
  expect(verdictOf(decide(command, { policy, mode }))).toBe(expected);
});

describe('a rule that forbids or asks holds however the command is wrapped [APR-04]', () => {
  test.each(
    [
      'curl x',
      '{ curl x; }',
      '(curl x)',
      'echo $(curl x)',
      'sudo curl x',
      'env A=1 curl x',
      'xargs curl',
      'timeout 5 curl x',
      '/usr/bin/curl x',
      "'curl' x",
      '\\curl x',
      "bash -c 'curl x'",
      'if a; then curl x; fi',
      'a; curl x > f',
      'make && curl x',
    ].map((script) => [script]),
  )('%j', (script) => {
    expect(decide({ argv: ['bash', '-lc', script] }, { policy: 'on-request' })).toEqual({
      kind: 'refuse',
      reason: expect.stringMatching(
        /^exec command rejected: `.*` is forbidden by a rule of the user \(rule: curl\): because of curl$/s,
      ),
    });
  });
});

describe('a rule that allows holds only for what is understood completely [APR-05]', () => {
  test.each<[string, Verdict]>([
    ['make', 'out'],
    ['make all; make test', 'out'],
    ["make <<'E'\nx\nE", 'out'],
    ['make > f', 'run'],
    ['make $(npm test)', 'run'],
    ['make & npm test', 'run'],
    ['A=1 make', 'run'],
    ['sudo make', 'run'],
    ['{ make; }', 'run'],
    ['make <<E\n$(npm test)\nE', 'run'],
    ['make && rm -rf x', 'ask'],
    ['make "$(rm -rf x)"', 'ask'],
    ['/usr/bin/make', 'out'],
    ['/tmp/make', 'run'],
    ['./make', 'run'],
  ])('%j: %s', (script, expected) => {
    expect(verdictOf(decide({ argv: ['bash', '-lc', script] }, { policy: 'on-request' }))).toBe(expected);
  });

  test('a dangerous command that a rule allows runs, and counts no more beside others', () => {
    const rules = new MemoryRules([['allow', 'rm', '-rf', 'build']]);
    const verdict = (script: string): Verdict =>
      verdictOf(decide({ argv: ['bash', '-lc', script] }, { policy: 'never', rules }));
    expect([verdict('rm -rf build'), verdict('rm -rf build && npm test'), verdict('rm -rf other')]).toEqual([
      'out',
      'run',
      'no',
    ]);
  });
});

describe('a rule is proposed that lets the command go without a question [APR-06]', () => {
  const propose = (script: string, prefixRule?: readonly string[], rules?: MemoryRules): unknown => {
    const options = { policy: 'on-request', ...(prefixRule && { prefixRule }), ...(rules && { rules }) } as const;
    const decision = decide({ argv: ['bash', '-lc', script], escalated: true }, options);
    return decision.kind === 'ask' ? decision.proposedRule : decision.kind;
  };

  test.each<[string, string, readonly string[] | undefined, unknown]>([
    ['the rule of the model', 'npm run x', ['npm', 'run'], ['npm', 'run']],
    ['not one that does not cover the command', 'npm run x', ['npm', 'test'], ['npm', 'run', 'x']],
    ['not one that covers only a part', 'npm run x && yarn z', ['npm', 'run'], ['npm', 'run', 'x']],
    ['not one that is too wide', 'python3 a.py', ['python3'], ['python3', 'a.py']],
    ['nor one for a shell with a script', 'bash -c x', ['bash', '-c'], ['bash', '-c', 'x']],
    ['nor one for git', 'git fetch', ['git'], ['git', 'fetch']],
    ['nor an empty one', 'npm run x', [], ['npm', 'run', 'x']],
    ['else the first command that made somebody ask', 'ls && npm run x && yarn z', undefined, ['npm', 'run', 'x']],
    ['none that is too wide itself', 'python3', undefined, undefined],
    ['none for a heredoc', "npm x <<'E'\na\nE", ['npm', 'x'], undefined],
    ['none with a pattern for files', 'npm run *', undefined, undefined],
    ['none for what deletes without asking', 'rm -rf build', ['rm', '-rf', 'build'], undefined],
    ['none when a rule asks', 'git push', ['git', 'push'], undefined],
    ['the rest when a rule allows a part', 'make && npm run x', ['npm'], ['npm', 'run', 'x']],
    ['the whole script when it was not understood', 'npm run x > f', undefined, ['bash', '-lc', 'npm run x > f']],
  ])('%s', (_title, script, prefixRule, expected) => {
    expect(propose(script, prefixRule)).toEqual(expected);
  });
});

describe('what the model is told when a command is refused [APR-07]', () => {
  test.each<[string, readonly string[], ApprovalPolicy, boolean, string]>([
    [
      'escalation under never',
      ['npm', 'test'],
      'never',
      true,
      'approval policy is never: do not ask for escalated permissions; run the command without them',
    ],
    [
      'escalation under a granular policy without it',
      ['npm', 'test'],
      granular({ sandboxApproval: false, rules: true }),
      true,
      'approval policy is granular: do not ask for escalated permissions; run the command without them',
    ],
    [
      'a dangerous command under never',
      ['rm', '-rf', 'x'],
      'never',
      false,
      'this command, which deletes without asking (such as `rm -f`), needs an approval, and the approval policy is never; remove files one by one with plain `rm` or `apply_patch`',
    ],
    [
      'a rule that asks under never',
      ['git', 'push'],
      'never',
      false,
      '`git push`, for which a rule of the user says to ask, needs an approval, and the approval policy is never; choose another way',
    ],
    [
      'a rule that asks under a granular policy without rules',
      ['git', 'push'],
      granular({ sandboxApproval: true, rules: false }),
      false,
      '`git push`, for which a rule of the user says to ask, needs an approval, and the approval policy switches such questions off; choose another way',
    ],
  ])('%s', (_title, argv, policy, escalated, reason) => {
    expect(decide({ argv, escalated }, { policy })).toEqual({
      kind: 'refuse',
      reason: `exec command rejected: ${reason}`,
    });
  });

  test('a very long command is cut', () => {
    const decision = decide({ argv: ['curl', 'x'.repeat(10_000)] }, { policy: 'never' });
    expect(decision.kind === 'refuse' && decision.reason.length < 400).toBe(true);
  });
});
