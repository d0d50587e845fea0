import type { ToolCallItem } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { ApprovalDesk } from '../../src/approval/approval-desk.ts';
import { TurnDiff } from '../../src/thread/turn-diff.ts';
import { ApplyPatchTool } from '../../src/tools/apply-patch.ts';
import type { ToolResult } from '../../src/tools/tool.ts';
import { FakeClock, MemoryFiles } from '../thread/harness.ts';
import { ScriptedApprovals, sandboxPolicy, type TestContext, TURN, toolContext } from './approval-context.ts';

const OUTSIDE = patch('*** Add File: /etc/new\n+text');
const SUCCESS = 'Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nA /etc/new\n';

function patch(body: string): string {
  return `*** Begin Patch\n${body}\n*** End Patch`;
}

/** Follows the links it is told of. */
class LinkedFiles extends MemoryFiles {
  readonly links = new Map<string, string>();

  override async resolveTarget(path: string): Promise<string> {
    return this.links.get(path) ?? path;
  }
}

async function apply(text: string, context: TestContext, files: MemoryFiles = new MemoryFiles()): Promise<ToolResult> {
  const tool = new ApplyPatchTool('freeform', { files, clock: new FakeClock(), turnDiff: new TurnDiff() });
  const call: ToolCallItem = { type: 'custom_tool_call', call_id: 'call-1', name: 'apply_patch', input: text };
  return tool.run(call, context);
}

describe('a patch that needs an approval', () => {
  test('is shown with its changes and applied after a yes [APR-28]', async () => {
    const approvals = new ScriptedApprovals('approved');
    const files = new MemoryFiles();
    expect((await apply(OUTSIDE, toolContext({ approvals }), files)).output).toBe(SUCCESS);
    expect(files.files.get('/etc/new')).toBe('text\n');
    expect(approvals.requests).toEqual([
      {
        kind: 'patch',
        turnId: TURN,
        callId: 'call-1',
        reason: '/etc/new is outside of the project and of the folders that may be written to',
        changes: [
          { path: '/etc/new', kind: 'add', addedLines: 1, removedLines: 0, diff: expect.stringContaining('+text') },
        ],
      },
    ]);
  });

  test.each([
    [{ kind: 'denied' } as const, 'patch rejected by user', false],
    [{ kind: 'denied', reason: 'not there' } as const, 'patch rejected by user: not there', false],
    [{ kind: 'aborted' } as const, 'aborted by user', true],
  ])('is not applied after %j [APR-28]', async (answer, message, isInterrupted) => {
    const context = toolContext({ approvals: new ScriptedApprovals(answer) });
    const files = new MemoryFiles();
    const result = await apply(OUTSIDE, context, files);
    expect(result).toMatchObject({
      output: message,
      endItem: { kind: 'file-change', status: 'declined', message },
    });
    expect([files.files.size, context.signal.aborted]).toEqual([0, isInterrupted]);
  });

  test('is refused when nobody is there, and that is said [APR-11]', async () => {
    expect((await apply(OUTSIDE, toolContext({}))).output).toBe(
      'patch rejected: /etc/new is outside of the project and of the folders that may be written to; it needs an approval, and nobody is there to give it; change only files that may be written to',
    );
  });

  test('is refused without a question under never [APR-18]', async () => {
    const approvals = new ScriptedApprovals();
    expect((await apply(OUTSIDE, toolContext({ approvals }, { approvalPolicy: 'never' }))).output).toMatch(
      /^patch rejected: \/etc\/new is outside .* \(approval policy never\)$/,
    );
    expect(approvals.requests).toEqual([]);
  });

  test('asks in read-only mode too [APR-18]', async () => {
    const approvals = new ScriptedApprovals('approved');
    const context = toolContext({ approvals }, { sandbox: sandboxPolicy('read-only') });
    const result = await apply(patch('*** Add File: a\n+x'), context);
    expect([result.output, approvals.requests[0]?.reason]).toEqual([
      expect.stringContaining('A a\n'),
      'the sandbox mode is read-only, so no file may be changed',
    ]);
  });
});

describe('a patch approved for the session', () => {
  test('covers each of its files, move targets too, and no other [APR-29]', async () => {
    const approvals = new ScriptedApprovals('approved-for-session');
    const desk = new ApprovalDesk({ approvals });
    const files = new MemoryFiles({ '/etc/a': 'x\n', '/etc/b': 'x\n' });
    const run = (body: string): Promise<ToolResult> => apply(patch(body), toolContext({}, {}, desk), files);
    await run('*** Update File: /etc/a\n*** Move to: /etc/c\n@@\n-x\n+y');
    expect(approvals.requests).toHaveLength(1);
    await run('*** Update File: /etc/c\n@@\n-y\n+z');
    await run('*** Add File: /etc/a\n+again');
    expect(approvals.requests).toHaveLength(1);
    await run('*** Update File: /etc/b\n@@\n-x\n+y');
    await run('*** Add File: /etc/d\n+x\n*** Add File: /etc/a\n+x');
    expect(approvals.requests).toHaveLength(3);
  });
});

describe('what was shown is what is written', () => {
  test('a file that changes meanwhile is left alone [APR-30]', async () => {
    const files = new MemoryFiles({ '/etc/a': 'one\ntwo\n' });
    const approvals = new ScriptedApprovals(() => {
      files.files.set('/etc/a', 'one\ntwo\nthree\n');
      return { kind: 'approved' };
    });
    const result = await apply(patch('*** Update File: /etc/a\n@@\n-one\n+1'), toolContext({ approvals }), files);
    expect([result.output, files.files.get('/etc/a')]).toEqual([
      'patch rejected: the files changed while the patch was asked about; read them and try again',
      'one\ntwo\nthree\n',
    ]);
  });

  test('a link that is turned meanwhile is not followed [APR-30]', async () => {
    const files = new LinkedFiles();
    files.links.set('/etc/new', '/data/new');
    const approvals = new ScriptedApprovals(() => {
      files.links.set('/etc/new', '/repo/.git/hooks/pre-commit');
      return { kind: 'approved' };
    });
    const result = await apply(OUTSIDE, toolContext({ approvals }), files);
    expect([result.output, files.files.size]).toEqual([expect.stringMatching(/^patch rejected: the files changed/), 0]);
  });

  test('a path inside that is a link to the outside is asked about [APR-19]', async () => {
    const files = new LinkedFiles();
    files.links.set('/repo/a', '/repo/.git/config');
    const approvals = new ScriptedApprovals('denied');
    await apply(patch('*** Add File: a\n+x'), toolContext({ approvals }), files);
    expect(approvals.requests.map(({ reason }) => reason)).toEqual([
      '/repo/.git/config is in a protected folder (.git, .codex, .agents, .quire)',
    ]);
  });
});
