import type { ApprovalPolicy, SandboxMode } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { decidePatch } from '../../src/approval/patch-policy.ts';
import { isProtectedPath } from '../../src/approval/protected-paths.ts';
import { granular, sandboxPolicy } from './approval-context.ts';

const SETTINGS = { cwd: '/repo', temporaryRoots: ['/tmp'] };
const WITHOUT_QUESTIONS = granular({ sandboxApproval: false, rules: true });
const WITH_QUESTIONS = granular({ sandboxApproval: true, rules: false });

function decide(targets: readonly string[], approvalPolicy: ApprovalPolicy, mode: SandboxMode = 'workspace-write') {
  return decidePatch(targets, { ...SETTINGS, approvalPolicy, sandbox: sandboxPolicy(mode, ['/data', '/repo/sub']) });
}

describe('the decision table of patches [APR-18]', () => {
  const inside = ['/repo/a', '/data/b', '/tmp/c'];
  const outside = ['/repo/a', '/etc/passwd'];
  test.each<[string, ApprovalPolicy, string, string, string]>([
    ['untrusted', 'untrusted', 'ask', 'ask', 'ask'],
    ['on-request', 'on-request', 'apply', 'ask', 'ask'],
    ['granular', WITH_QUESTIONS, 'apply', 'ask', 'ask'],
    ['granular without questions', WITHOUT_QUESTIONS, 'apply', 'refuse', 'refuse'],
    ['on-failure', 'on-failure', 'apply', 'ask', 'ask'],
    ['never', 'never', 'apply', 'refuse', 'refuse'],
  ])('%s', (_name, policy, whenWritable, whenNot, whenReadOnly) => {
    expect([
      decide(inside, policy).kind,
      decide(outside, policy).kind,
      decide(inside, policy, 'read-only').kind,
      decide(outside, policy, 'danger-full-access').kind,
    ]).toEqual([whenWritable, whenNot, whenReadOnly, 'apply']);
  });

  test('what is in the way is named', () => {
    expect([
      decide(['/etc/passwd'], 'never'),
      decide(['/repo/.git/config'], 'on-request'),
      decide(['/repo/a'], 'never', 'read-only'),
      decide(['/repo/a'], 'untrusted'),
    ]).toEqual([
      {
        kind: 'refuse',
        reason:
          '/etc/passwd is outside of the project and of the folders that may be written to, and the settings do not let anybody be asked (approval policy never)',
      },
      { kind: 'ask', cause: '/repo/.git/config is in a protected folder (.git, .codex, .agents, .quire)' },
      {
        kind: 'refuse',
        reason:
          'the sandbox mode is read-only, so no file may be changed, and the settings do not let anybody be asked (approval policy never)',
      },
      { kind: 'ask', cause: 'the approval policy is untrusted' },
    ]);
  });
});

describe('what stays read-only inside of writable roots [APR-19]', () => {
  test.each<[string, boolean]>([
    ['/repo/.git', true],
    ['/repo/.git/hooks/pre-commit', true],
    ['/repo/vendor/x/.git', true],
    ['/repo/vendor/x/.git/config', true],
    ['/repo/.GIT/config', true],
    ['/repo/.codex/config.toml', true],
    ['/repo/.agents/x', true],
    ['/repo/.quire/x', true],
    ['/repo/.Codex/x', true],
    ['/data/.codex/x', true],
    ['/tmp/.agents', true],
    ['/repo/sub/.codex/x', true],
    ['/repo/other/.codex/x', false],
    ['/repo/.github/workflows/x.yml', false],
    ['/repo/.gitignore', false],
    ['/repo/a.git/x', false],
    ['/repo/codex/x', false],
  ])('%s: %s', (target, isProtected) => {
    expect(decide([target], 'never').kind).toBe(isProtected ? 'refuse' : 'apply');
  });

  test('paths are those below a root', () => {
    expect(['.git', 'a/.git/b', '.quire', 'a/.quire', 'a'].map(isProtectedPath)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
