import type { JsonObject } from '@quire/protocol';
import { respond, stall, text } from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, processesWith, uniqueSeconds } from '../../../host/test/support/processes.ts';
import { openToolScene, outcomeOf, type Played, type Round, type SceneOptions, type ToolScene } from './tool-scene.ts';
import { callOf, furnish, type Place, ROWS, type ToolRow } from './tool-table.ts';

const OPTIONS: SceneOptions = {
  config: ['agents.max_threads=60', 'sandbox_workspace_write.exclude_slash_tmp=true'],
  child: (request) => (JSON.stringify(request.input).includes('hold ') ? stall() : respond(text('The agent is done.'))),
};
const ASKING: SceneOptions = { ...OPTIONS, approvalPolicy: 'untrusted', sandboxMode: 'workspace-write' };

const withApproval = ROWS.flatMap(({ approval, ...row }) => (approval === undefined ? [] : [{ ...row, approval }]));
const withoutApproval = ROWS.filter(({ approval, kind }) => approval === undefined && kind !== 'command');
const withWrong = ROWS.flatMap(({ wrong, ...row }) => (wrong === undefined ? [] : [{ ...row, wrong }]));
const functions = ROWS.filter(({ form }) => form === 'function');

/** A call that hangs spoils its own test only. */
const CALL_MS = 15_000;

let calls = 0;

/** Ids are told apart for the life of a thread. */
function nextCallId(): string {
  calls += 1;
  return `call-${calls}`;
}

async function openScene(options: SceneOptions): Promise<ToolScene> {
  const scene = await openToolScene(options);
  await furnish(scene.repository);
  return scene;
}

function newPlace({ repository }: ToolScene): Place {
  return { repository, mark: uniqueSeconds() };
}

/** One turn with one call of the row, behind what it needs. */
async function makeCall(
  scene: ToolScene,
  row: Pick<ToolRow, 'tool' | 'form' | 'before' | 'args'>,
  place: Place = newPlace(scene),
): Promise<Played & { readonly callId: string; readonly output: string | undefined }> {
  const callId = nextCallId();
  const round: Round = (request) => [callOf(row, callId, row.args(place, request))];
  const played = await scene.play([...(row.before?.(place) ?? []), round], { signal: AbortSignal.timeout(CALL_MS) });
  return { ...played, callId, output: played.outputOf(callId) };
}

describe('every tool', () => {
  let scene: ToolScene;
  beforeAll(async () => {
    scene = await openScene(OPTIONS);
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  test.each(ROWS)('$title answers in its documented form [TOOL-01]', async (row) => {
    const place = newPlace(scene);
    const { output, events } = await makeCall(scene, row, place);
    expect(output).toMatch(row.output(place));
    expect(outcomeOf(events)).toMatchObject({ kind: 'completed' });
  });

  test.each(functions)('$title says so when its arguments are no JSON object [TOOL-02]', async (row) => {
    for (const args of ['{"a":', '[]', '"text"']) {
      const { output } = await makeCall(scene, { tool: row.tool, form: 'function', args: () => args });
      expect(output).toMatch(/^failed to parse function arguments: /);
    }
  });

  test.each(withWrong)('$title says so when its arguments are of the wrong type [TOOL-03]', async (row) => {
    const { output, events } = await makeCall(scene, { tool: row.tool, form: row.form, args: () => row.wrong.args });
    expect(output).toMatch(row.wrong.output);
    expect(outcomeOf(events)).toMatchObject({ kind: 'completed' });
  });

  test.each(ROWS)('$title is seen by every hook before and after it [TOOL-04]', async (row) => {
    const { callId, output, requests } = await makeCall(scene, row);
    const seen = requests.at(-1)?.input.find((item) => item['call_id'] === callId);
    const input = inputOf(seen);
    const call = { callId, tool: row.tool, kind: row.kind, input, cwd: scene.repository };
    expect(scene.hooked.before.filter((hooked) => hooked.callId === callId)).toMatchObject([call]);
    const after = scene.hooked.after.filter((hooked) => hooked.callId === callId);
    expect(after).toMatchObject([{ ...call, succeeded: true }]);
    if (row.kind !== 'image') expect(after[0]?.output).toBe(output);
    const told = scene.hookPayloads().filter((payload) => payload['tool_use_id'] === callId);
    expect(told.map((payload) => [payload['hook_event_name'], payload['tool'], payload['tool_kind']])).toEqual([
      ['PreToolUse', row.tool, row.kind],
      ['PostToolUse', row.tool, row.kind],
    ]);
  });

  test.each(ROWS)('$title does not run when a hook denies it, and the model is told [TOOL-05]', async (row) => {
    const callId = nextCallId();
    const place = newPlace(scene);
    scene.behaviour.before = (call) =>
      call.callId === callId ? { kind: 'deny', reason: 'not on a Friday' } : { kind: 'go-on' };
    try {
      const round: Round = (request) => [callOf(row, callId, row.args(place, request))];
      const { outputOf, events } = await scene.play([...(row.before?.(place) ?? []), round]);
      expect(outputOf(callId)).toBe(`${row.tool} was denied by a hook: not on a Friday`);
      expect(scene.hooked.after.filter((hooked) => hooked.callId === callId)).toEqual([]);
      expect(events.filter((event) => event.kind === 'item-start' && event.item.id === callId)).toEqual([]);
    } finally {
      scene.behaviour.before = () => ({ kind: 'go-on' });
    }
  });
});

describe('with the policy that asks most', () => {
  let scene: ToolScene;
  beforeAll(async () => {
    scene = await openScene(ASKING);
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  test.each(withApproval)('$title asks for exactly what it then runs [TOOL-06]', async ({ approval, ...row }) => {
    const place = newPlace(scene);
    const before = scene.asked.approvals.length;
    const { output, callId } = await makeCall(scene, { ...row, args: approval.args }, place);
    const asked = scene.asked.approvals.slice(before).map((request) => JSON.parse(JSON.stringify(request)));
    const { reason, proposedRule, ...expected } = approval.request(place);
    expect(asked).toMatchObject([{ ...expected, callId }]);
    expect(output).toMatch(approval.output(place));
  });

  test.each(withApproval)('$title does not run when it is denied, and the model is told why [TOOL-07]', async (row) => {
    scene.behaviour.approve = () => ({ kind: 'denied', reason: 'not today' });
    try {
      const { output, events } = await makeCall(scene, { ...row, args: row.approval.args });
      expect(output).toMatch(row.approval.denied);
      expect(outcomeOf(events)).toMatchObject({ kind: 'completed' });
    } finally {
      scene.behaviour.approve = () => ({ kind: 'approved' });
    }
  });

  test.each(withApproval)('$title that is refused by ending the turn does not run [TOOL-08]', async (row) => {
    scene.behaviour.approve = () => ({ kind: 'aborted' });
    try {
      const { output, events } = await makeCall(scene, { ...row, args: row.approval.args });
      expect(output).toMatch(/aborted by user|rejected by user/);
      expect(outcomeOf(events)).toMatchObject({ kind: 'interrupted' });
    } finally {
      scene.behaviour.approve = () => ({ kind: 'approved' });
    }
  });

  test.each(withoutApproval)('$title asks nobody [TOOL-10]', async (row) => {
    const before = scene.asked.approvals.length;
    const place = newPlace(scene);
    const { output } = await makeCall(scene, row, place);
    expect(output).toMatch(row.output(place));
    expect(scene.asked.approvals.slice(before)).toEqual([]);
  });

  // Last: what is allowed for the session is not asked about again.
  test.each(withApproval)('$title that was allowed for the session is not asked about again [TOOL-09]', async (row) => {
    scene.behaviour.approve = () => ({ kind: 'approved-for-session' });
    try {
      const place = newPlace(scene);
      const first = await makeCall(scene, { ...row, args: row.approval.args }, place);
      expect(first.output).toMatch(row.approval.output(place));
      const before = scene.asked.approvals.length;
      const second = await makeCall(scene, { ...row, args: row.approval.args }, place);
      expect(second.output).toMatch(row.approval.output(place));
      expect(scene.asked.approvals.slice(before)).toEqual([]);
    } finally {
      scene.behaviour.approve = () => ({ kind: 'approved' });
    }
  });
});

describe.each([
  { confinement: 'without a sandbox', options: OPTIONS },
  { confinement: 'in the sandbox', options: ASKING },
])('an interrupt $confinement', ({ options }) => {
  let scene: ToolScene;
  beforeAll(async () => {
    scene = await openScene(options);
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  test.each(ROWS)('during $title ends it, leaves no process and settles its output [TOOL-11]', async (row) => {
    const { cancel } = row;
    // Nobody is asked where everything may be written.
    const moment = cancel.moment === 'approval' && options !== ASKING ? 'hook' : cancel.moment;
    const place = newPlace(scene);
    const callId = nextCallId();
    const controller = new AbortController();
    const interrupt = (): void => controller.abort(new Error('enough'));
    const never = <Value>(): Promise<Value> => {
      interrupt();
      return new Promise(() => undefined);
    };
    if (moment === 'hook') {
      scene.behaviour.before = (call) => (call.callId === callId ? never() : { kind: 'go-on' });
    }
    scene.behaviour.approve = () => (moment === 'approval' ? never() : { kind: 'approved' });
    if (moment === 'question') scene.behaviour.answer = never;
    if (moment === 'look') scene.behaviour.look = never;
    const args = cancel.args ?? row.args;
    const before = 'before' in cancel ? cancel.before : row.before;
    const target = { tool: cancel.tool ?? row.tool, form: row.form };
    const played = scene.play(
      [...(before?.(place) ?? []), (request) => [callOf(target, callId, args(place, request))]],
      {
        signal: controller.signal,
        onEvent: (event) => {
          if (moment === 'item' && event.kind === 'item-start' && event.item.id === callId) interrupt();
        },
      },
    );
    const running = (): number => processesWith(`sleep\0${place.mark}`).length;
    let isUp = true;
    if (moment === 'process') {
      isUp = await eventually(() => running() >= (row.kind === 'command' ? 3 : 2), { withinMs: 10_000 });
      interrupt();
    }
    const { events, outputOf } = await played;
    expect(isUp).toBe(true);
    const { survivors = 0 } = cancel;
    // What is killed is gone with the turn; what lives on may have only just begun.
    const isLeft = survivors === 0 || (await eventually(() => running() === survivors, { withinMs: 10_000 }));
    expect([isLeft, running()]).toEqual([true, survivors]);
    expect(outputOf(callId)).toMatch(cancel.output);
    expect(outcomeOf(events)).toMatchObject({ kind: 'interrupted' });
    Object.assign(scene.behaviour, {
      before: () => ({ kind: 'go-on' }),
      answer: () => undefined,
      look: () => Promise.resolve(''),
    });
    // The provider checks that every call has its output.
    const { events: next } = await scene.play([]);
    expect(outcomeOf(next)).toMatchObject({ kind: 'completed' });
  });
});

function inputOf(item: JsonObject | undefined): unknown {
  if (item?.['type'] === 'custom_tool_call') return item['input'];
  if (item?.['type'] === 'local_shell_call') return item['action'];
  return JSON.parse(String(item?.['arguments']));
}
