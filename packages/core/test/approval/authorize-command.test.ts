import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApprovalDesk } from '../../src/approval/approval-desk.ts';
import { type AttemptResult, type CommandAttempt, runAuthorized } from '../../src/approval/authorize-command.ts';
import { bindCommand } from '../../src/approval/bound-command.ts';
import type { ApprovalDecision, ApprovalRequest } from '../../src/ports/approvals.ts';
import type { Command, Confinement, ShellScript } from '../../src/ports/command-runner.ts';
import { granular, MemoryRules, ScriptedApprovals, type TestContext, TURN, toolContext } from './approval-context.ts';

const SANDBOX: Confinement = { kind: 'sandbox', writableRoots: ['/repo'], network: 'off' };
const NONE: Confinement = { kind: 'none' };
const DENIED = { exitCode: 1, output: 'touch: Read-only file system' };
const FINE = { exitCode: 0, output: 'ok' };

interface Result {
  readonly exitCode: number;
  readonly output: string;
}

/** An attempt that keeps how it was confined and ends with the results in turn, the last one again and again. */
function attempt(
  script: string,
  changes: Partial<CommandAttempt<Result>> & {
    readonly results?: readonly Result[];
    readonly escalated?: boolean;
  } = {},
): CommandAttempt<Result> & { readonly runs: Confinement[] } {
  const { results = [FINE], escalated = false, ...others } = changes;
  const runs: Confinement[] = [];
  return {
    callId: 'call-1',
    argv: ['bash', '-lc', script],
    cwd: '/repo',
    permissions: { escalated, justification: escalated ? 'it needs the network' : undefined, prefixRule: undefined },
    execute: async (confinement) => {
      runs.push(confinement);
      return results[runs.length - 1] ?? results.at(-1) ?? FINE;
    },
    resultOf: (result) => result,
    ...others,
    runs,
  };
}

const ran = (outcome: Result = FINE): AttemptResult<Result> => ({ kind: 'ran', outcome });
const refused = (reason: string): AttemptResult<Result> => ({ kind: 'refused', reason });

describe('without a question', () => {
  test('a command runs in the sandbox of the settings [APR-08]', async () => {
    const command = attempt('npm test');
    expect(await runAuthorized(command, toolContext({}))).toEqual(ran());
    expect(command.runs).toEqual([SANDBOX]);
  });

  test('a command that rules allow runs without the sandbox [APR-05]', async () => {
    const command = attempt('make all; make test');
    expect(await runAuthorized(command, toolContext({ rules: new MemoryRules([['allow', 'make']]) }))).toEqual(ran());
    expect(command.runs).toEqual([NONE]);
  });

  test('what is forbidden does not run [APR-04]', async () => {
    const command = attempt('curl x');
    const context = toolContext({ rules: new MemoryRules([['forbidden', 'curl']]) });
    expect(await runAuthorized(command, context)).toEqual(
      refused(
        "exec command rejected: `bash -lc 'curl x'` is forbidden by a rule of the user (rule: curl): because of curl",
      ),
    );
    expect(command.runs).toEqual([]);
  });

  test('rules are read before the first decision [APR-42]', async () => {
    let isRead = false;
    const rules = {
      load: async () => {
        isRead = true;
      },
      matches: () =>
        isRead ? [{ decision: 'forbidden' as const, matchedPrefix: ['ls'], justification: undefined }] : [],
      allow: async () => undefined,
    };
    expect((await runAuthorized(attempt('ls'), toolContext({ rules }))).kind).toBe('refused');
  });
});

describe('a question', () => {
  test('shows exactly what will run, and why [APR-09]', async () => {
    const approvals = new ScriptedApprovals('approved');
    const command = attempt('npm install', { escalated: true, environment: { B: '2', A: '1' } });
    expect(await runAuthorized(command, toolContext({ approvals }))).toEqual(ran());
    expect(approvals.requests).toEqual([
      {
        kind: 'command',
        turnId: TURN,
        callId: 'call-1',
        argv: ['bash', '-lc', 'npm install'],
        cwd: '/repo',
        environment: { A: '1', B: '2' },
        unconfined: true,
        proposedRule: ['npm', 'install'],
        reason: 'it needs the network',
      },
    ]);
    expect(command.runs).toEqual([NONE]);
  });

  test('names the justification of the rule that asks [APR-09]', async () => {
    const approvals = new ScriptedApprovals('approved');
    const command = attempt('git push');
    await runAuthorized(command, toolContext({ approvals, rules: new MemoryRules([['prompt', 'git', 'push']]) }));
    expect(approvals.requests).toMatchObject([
      { reason: 'because of git push', unconfined: false, proposedRule: undefined },
    ]);
    expect(command.runs).toEqual([SANDBOX]);
  });

  test.each<[string, ApprovalDecision, string, readonly string[]]>([
    ['denied', { kind: 'denied' }, 'exec command rejected by user', []],
    ['denied with words', { kind: 'denied', reason: 'not today' }, 'exec command rejected by user: not today', []],
    ['aborted', { kind: 'aborted' }, 'aborted by user', ['interrupted']],
  ])('that is %s runs nothing [APR-10]', async (_title, answer, reason, interrupts) => {
    const context = toolContext({ approvals: new ScriptedApprovals(answer) });
    const command = attempt('rm -rf x');
    expect(await runAuthorized(command, context)).toEqual(refused(reason));
    expect(command.runs).toEqual([]);
    expect(context.signal.aborted ? [context.signal.reason.message] : []).toEqual(interrupts);
  });

  test('that nobody can answer is a denial that says so and names a way [APR-11]', async () => {
    const texts = await Promise.all(
      [attempt('rm -rf x'), attempt('npm i', { escalated: true })].map((command) =>
        runAuthorized(command, toolContext({})),
      ),
    );
    const untrusted = await runAuthorized(attempt('npm i'), toolContext({}, { approvalPolicy: 'untrusted' }));
    expect([...texts, untrusted]).toEqual([
      refused(
        'exec command rejected: this command, which deletes without asking (such as `rm -f`), needs an approval, and nobody is there to give it; remove files one by one with plain `rm` or `apply_patch`',
      ),
      refused(
        'exec command rejected: running without the sandbox needs an approval, and nobody is there to give it; run the command inside of the sandbox, without `sandbox_permissions`, or choose another way',
      ),
      refused(
        'exec command rejected: every command but plain reading ones (approval policy untrusted) needs an approval, and nobody is there to give it; use plain reading commands',
      ),
    ]);
  });

  test('ends with the reason of the turn when that is stopped [APR-10]', async () => {
    const context: TestContext = toolContext({
      approvals: new ScriptedApprovals(() => {
        context.stop.abort(new Error('stopped'));
        return new Promise<ApprovalDecision>(() => undefined);
      }),
    });
    const command = attempt('rm -rf x');
    await expect(runAuthorized(command, context)).rejects.toThrow('stopped');
    expect(command.runs).toEqual([]);
  });
});

describe('an approval for the session', () => {
  test('holds for the very same command, and for nothing else [APR-12]', async () => {
    const approvals = new ScriptedApprovals('approved-for-session');
    const desk = new ApprovalDesk({ approvals });
    const run = (changes: Parameters<typeof attempt>[1] = {}, script = 'npm i'): Promise<unknown> =>
      runAuthorized(attempt(script, { escalated: true, ...changes }), toolContext({}, {}, desk));
    for (const changes of [{}, {}, { callId: 'call-2' }]) await run(changes);
    expect(approvals.requests).toHaveLength(1);
    await run({ cwd: '/repo/a' });
    await run({ environment: { A: '1' } });
    await run({ tty: true });
    await run({}, 'npm i x');
    expect(approvals.requests).toHaveLength(5);
    const confined = attempt('npm i');
    await runAuthorized(confined, toolContext({}, {}, desk));
    expect([confined.runs, approvals.requests.length]).toEqual([[SANDBOX], 5]);
  });

  test('that was given once holds for calls that waited [APR-12]', async () => {
    const approvals = new ScriptedApprovals('approved-for-session');
    const desk = new ApprovalDesk({ approvals });
    const commands = Array.from({ length: 5 }, () => attempt('rm -rf x'));
    await Promise.all(commands.map((command) => runAuthorized(command, toolContext({}, {}, desk))));
    expect([approvals.requests.length, commands.map(({ runs }) => runs.length)]).toEqual([1, [1, 1, 1, 1, 1]]);
  });
});

describe('an approval with a rule', () => {
  test('keeps the rule and asks no more for what begins like it [APR-13]', async () => {
    const rules = new MemoryRules();
    const approvals = new ScriptedApprovals({ kind: 'approved-with-rule', rule: ['npm', 'run'] });
    const desk = new ApprovalDesk({ approvals, rules });
    const first = attempt('npm run a', { escalated: true });
    const second = attempt('npm run b');
    await runAuthorized(first, toolContext({}, {}, desk));
    await runAuthorized(second, toolContext({}, { approvalPolicy: 'untrusted' }, desk));
    expect([rules.allowed, approvals.requests.length]).toEqual([[['npm', 'run']], 1]);
    expect([first.runs, second.runs]).toEqual([[NONE], [NONE]]);
  });

  test('runs the command as it was shown, and without the sandbox only when that was in the way [APR-13]', async () => {
    const approvals = new ScriptedApprovals({ kind: 'approved-with-rule', rule: ['npm', 'i'] });
    const command = attempt('npm i', { results: [DENIED, FINE] });
    const context = toolContext({ approvals, rules: new MemoryRules() }, { approvalPolicy: 'untrusted' });
    expect(await runAuthorized(command, context)).toEqual(ran());
    expect([approvals.requests.length, command.runs]).toEqual([1, [SANDBOX, NONE]]);
  });

  test('runs the command also when the rule can not be written, and says so [APR-13]', async () => {
    const rules = new MemoryRules();
    rules.failure = new Error('/home/rules/default.rules can not be written: permission denied');
    const approvals = new ScriptedApprovals({ kind: 'approved-with-rule', rule: ['npm', 'i'] });
    const context = toolContext({ approvals, rules });
    expect(await runAuthorized(attempt('npm i', { escalated: true }), context)).toEqual(ran());
    expect(context.events).toEqual([
      {
        kind: 'warning',
        turnId: TURN,
        message: 'the rule was not written: /home/rules/default.rules can not be written: permission denied',
      },
    ]);
  });

  test.each([[['bash']], [['bash', '-lc']], [['/usr/bin/env']], [['python3.12', '-c']], [[]], [['git']], [['sudo']]])(
    'does not keep %j, which would allow everything [APR-06]',
    async (rule) => {
      const rules = new MemoryRules();
      const context = toolContext({ approvals: new ScriptedApprovals({ kind: 'approved-with-rule', rule }), rules });
      expect(await runAuthorized(attempt('x', { escalated: true }), context)).toEqual(ran());
      expect([rules.allowed, context.events.map((event) => event.kind)]).toEqual([[], ['warning']]);
    },
  );
});

describe('when the sandbox was in the way', () => {
  const SCRIPT = 'npm i';

  test.each([
    ['on-failure', true],
    ['untrusted', true],
    ['on-request', false],
    ['never', false],
  ] as const)('under %s a person is asked: %s [APR-14]', async (approvalPolicy, isAsked) => {
    const approvals = new ScriptedApprovals('approved');
    const command = attempt(SCRIPT, { results: [DENIED, FINE] });
    const result = await runAuthorized(command, toolContext({ approvals }, { approvalPolicy }));
    expect(result).toEqual(ran(isAsked ? FINE : DENIED));
    expect(command.runs).toEqual(isAsked ? [SANDBOX, NONE] : [SANDBOX]);
    const retry = approvals.requests.filter((request) => request.kind === 'command' && request.unconfined);
    expect(retry.map(({ reason }) => reason)).toEqual(
      isAsked ? ['the sandbox seems to have stopped the command; it would run again, without the sandbox'] : [],
    );
  });

  test.each([
    [{ sandboxApproval: true, rules: true }, [SANDBOX, NONE]],
    [{ sandboxApproval: false, rules: true }, [SANDBOX]],
  ])('under a granular policy with %j', async (switches, runs) => {
    const command = attempt(SCRIPT, { results: [DENIED, FINE] });
    const context = toolContext(
      { approvals: new ScriptedApprovals('approved') },
      { approvalPolicy: granular(switches) },
    );
    await runAuthorized(command, context);
    expect(command.runs).toEqual(runs);
  });

  test.each(['denied', 'aborted'] as const)('and the answer is %s, what happened stands [APR-14]', async (kind) => {
    const command = attempt(SCRIPT, { results: [DENIED] });
    const context = toolContext({ approvals: new ScriptedApprovals(kind) }, { approvalPolicy: 'on-failure' });
    expect(await runAuthorized(command, context)).toEqual(ran(DENIED));
    expect([command.runs, context.signal.aborted]).toEqual([[SANDBOX], kind === 'aborted']);
  });

  test('nobody is there, so what happened stands [APR-14]', async () => {
    const command = attempt(SCRIPT, { results: [DENIED] });
    expect(await runAuthorized(command, toolContext({}, { approvalPolicy: 'on-failure' }))).toEqual(ran(DENIED));
    expect(command.runs).toEqual([SANDBOX]);
  });

  test('the same command for the session goes without it at once [APR-12]', async () => {
    const approvals = new ScriptedApprovals('approved-for-session');
    const desk = new ApprovalDesk({ approvals });
    const first = attempt(SCRIPT, { results: [DENIED, FINE] });
    const second = attempt(SCRIPT);
    for (const command of [first, second]) {
      await runAuthorized(command, toolContext({}, { approvalPolicy: 'on-failure' }, desk));
    }
    expect([first.runs, second.runs, approvals.requests.length]).toEqual([[SANDBOX, NONE], [NONE], 1]);
    const third = attempt(SCRIPT);
    await runAuthorized(third, toolContext({}, { approvalPolicy: 'never' }, desk));
    expect(third.runs).toEqual([SANDBOX]);
  });

  test('a command that still runs is not looked at [APR-15]', async () => {
    const command = attempt(SCRIPT, { results: [DENIED], resultOf: () => undefined });
    expect(await runAuthorized(command, toolContext({}, { approvalPolicy: 'on-failure' }))).toEqual(ran(DENIED));
  });

  test.each<[number, string, boolean]>([
    [1, 'Operation not permitted', true],
    [1, 'x: PERMISSION DENIED', true],
    [1, 'Read-only file system', true],
    [1, 'bad seccomp filter', true],
    [1, 'sandbox: nope', true],
    [1, 'landlock', true],
    [1, 'failed to write file x', true],
    [127, 'permission denied', true],
    [0, 'permission denied', false],
    [1, 'AssertionError', false],
    [2, 'usage', false],
    [126, 'x', false],
    [127, 'not found', false],
    [159, '', true],
    [137, '', false],
  ])('exit code %i with %j counts as that: %s [APR-15]', async (exitCode, output, expected) => {
    const approvals = new ScriptedApprovals('approved');
    const command = attempt(SCRIPT, { results: [{ exitCode, output }, FINE] });
    await runAuthorized(command, toolContext({ approvals }, { approvalPolicy: 'on-failure' }));
    expect(command.runs.length).toBe(expected ? 2 : 1);
  });

  test('a command that was not in a sandbox was not stopped by one [APR-15]', async () => {
    const approvals = new ScriptedApprovals();
    const sandbox = { ...toolContext({}).settings.sandbox, mode: 'danger-full-access' } as const;
    const command = attempt(SCRIPT, { results: [DENIED] });
    await runAuthorized(command, toolContext({ approvals }, { approvalPolicy: 'on-failure', sandbox }));
    expect(command.runs).toEqual([NONE]);
  });
});

describe('what was shown is what runs', () => {
  test('a command that changes while it is asked about does not run [APR-16]', async () => {
    const argv = ['rm', '-f', 'a'];
    const command = attempt('', { argv });
    const approvals = new ScriptedApprovals(() => {
      argv[2] = '/';
      return { kind: 'approved' };
    });
    expect(await runAuthorized(command, toolContext({ approvals }))).toEqual(
      refused('exec command rejected: the command changed after it was decided about'),
    );
    expect(command.runs).toEqual([]);
  });

  test('for random commands, changes and answers [APR-16]', async () => {
    const text = fc.string({ maxLength: 6 });
    const environment = fc.dictionary(fc.constantFrom('A', 'B', 'PATH'), text, { maxKeys: 3 });
    const answer = fc.constantFrom<ApprovalDecision>(
      { kind: 'approved' },
      { kind: 'approved-for-session' },
      { kind: 'denied' },
    );
    const tamper = fc.constantFrom<'none' | 'argv' | 'cwd' | 'environment'>('none', 'argv', 'cwd', 'environment');
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.constantFrom('/repo', '/repo/a'),
        environment,
        answer,
        tamper,
        async (script, cwd, variables, decision, change) => {
          const source = {
            script: `rm -f ${script}`,
            login: true,
            cwd: cwd as string,
            environment: { ...variables },
            timeoutMs: 1,
          };
          const started: Command[] = [];
          const runner = {
            argv: (command: Command) => ('argv' in command ? command.argv : ['sh', '-c', command.script]),
          };
          const bound = bindCommand<ShellScript & { timeoutMs: number }>(runner, source);
          let asked: Extract<ApprovalRequest, { kind: 'command' }> | undefined;
          const approvals = new ScriptedApprovals((request) => {
            if (request.kind === 'command') asked = structuredClone(request);
            if (change === 'argv') source.script = 'rm -rf /';
            if (change === 'cwd') source.cwd = '/';
            if (change === 'environment') source.environment['PATH'] = '/evil';
            return decision;
          });
          const { argv, environment: shown } = bound;
          await runAuthorized(
            attempt('', {
              ...{ argv, cwd: bound.cwd, environment: shown },
              execute: async (confinement) => {
                started.push(bound.confined(confinement));
                return FINE;
              },
            }),
            toolContext({ approvals }),
          );
          expect(
            started.map((command) => ({
              argv: runner.argv(command),
              cwd: command.cwd,
              environment: command.environment,
            })),
          ).toEqual(
            decision.kind === 'denied' ? [] : [{ argv: asked?.argv, cwd: asked?.cwd, environment: asked?.environment }],
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a runner that would start something else is stopped [APR-16]', () => {
    let calls = 0;
    const runner = { argv: () => [`sh-${calls++}`] };
    const bound = bindCommand<ShellScript>(runner, { script: 'x', login: false, cwd: '/' });
    expect(bound.argv).toEqual(['sh-0']);
    expect(() => bound.confined(NONE)).toThrow('not the one that was decided about');
  });
});
