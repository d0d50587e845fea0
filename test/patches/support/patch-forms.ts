import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type CommandRunner, Thread, type ThreadSettings } from '@quire/core';
import { createPatchFiles } from '@quire/host';
import {
  type ModelEvent,
  parseThreadId,
  type ThreadEvent,
  type ThreadId,
  type ToolOutputBody,
  type TurnItem,
} from '@quire/protocol';
import { type Files, layFiles, readFiles } from '../../../conformance/patch/patch-table.js';
import {
  calls,
  callsCustom,
  done,
  FakeClock,
  MemoryRollout,
  outputs,
  ScriptedModel,
  says,
  settings,
  step,
} from '../../../packages/core/test/thread/harness.ts';

const THREAD_ID = parseThreadId('01a1fb92-91c2-7ad3-9095-c4fc9f7c6463') as ThreadId;
/** Is no line of any patch of the table. */
const DELIMITER = 'END-OF-THE-PATCH';

/** One way in which a model hands over a patch. */
export interface PatchForm {
  readonly title: string;
  /** @param folder where the relative paths of the patch begin */
  readonly call: (patch: string, folder: string) => readonly ModelEvent[];
  /** The folder of the thread; the default is that of the patch. */
  readonly threadFolder?: (folder: string) => string;
}

export const PATCH_FORMS: readonly PatchForm[] = [
  { title: 'freeform tool', call: (patch) => callsCustom('c1', 'apply_patch', patch) },
  { title: 'function', call: (patch) => calls('c1', 'apply_patch', { input: patch }) },
  {
    title: 'argument list of a shell tool',
    call: (patch) => calls('c1', 'shell', { command: ['apply_patch', patch] }),
  },
  {
    title: 'heredoc in a shell script',
    call: (patch) => calls('c1', 'shell_command', { command: heredoc(patch) }),
  },
  {
    title: 'heredoc in a script of an argument list, in another folder',
    call: (patch, folder) =>
      calls('c1', 'shell', { command: ['bash', '-lc', `cd '${basename(folder)}' && ${heredoc(patch)}`] }),
    threadFolder: dirname,
  },
];

function heredoc(patch: string): string {
  return `apply_patch <<'${DELIMITER}'\n${patch}\n${DELIMITER}`;
}

/** What came of one call. `{root}` stands for the folder, `{around}` for the one that it is in. */
export interface PatchResult {
  readonly files: Files;
  readonly outside: Files;
  readonly output: ToolOutputBody | undefined;
  /** What clients were shown as ended. */
  readonly item: TurnItem | undefined;
}

/** Runs one turn in which the model hands over `patch` in this form, over real files. */
export async function applyInForm(
  form: PatchForm,
  given: {
    readonly patch: string;
    readonly files: Files;
    /** Files around the folder. */
    readonly outside?: Files;
    readonly settings?: Partial<ThreadSettings>;
  },
): Promise<PatchResult> {
  const outer = await realpath(await mkdtemp(join(tmpdir(), 'quire-patch-')));
  try {
    const folder = join(outer, 'work');
    await mkdir(folder);
    await layFiles(folder, given.files);
    await layFiles(outer, given.outside ?? {});
    const call = form.call(given.patch.replaceAll('{root}', folder), folder);
    const cwd = form.threadFolder?.(folder) ?? folder;
    const { output, item } = await runTurn(call, settings({ cwd, ...given.settings }));
    const files = await readFiles(folder);
    const outside = await readFiles(outer);
    for (const name of Object.keys(files)) delete outside[`work/${name}`];
    return { files, outside, output: rooted(output, folder), item: rooted(item, folder) };
  } finally {
    await rm(outer, { recursive: true });
  }
}

async function runTurn(call: readonly ModelEvent[], turnSettings: ThreadSettings) {
  const model = new ScriptedModel([step(call, done()), step(says('Ok.'), done())]);
  const clock = new FakeClock();
  const events: ThreadEvent[] = [];
  let ids = 0;
  const thread = new Thread({
    id: THREAD_ID,
    settings: turnSettings,
    ports: {
      model,
      runner: NO_RUNNER,
      files: createPatchFiles(),
      rollout: new MemoryRollout(),
      clock,
      entropy: { random: () => 0.5, uuid: () => `id-${++ids}` },
    },
    seed: undefined,
  });
  await thread.runTurn({
    input: [{ kind: 'text', text: 'Go.' }],
    signal: new AbortController().signal,
    outputSchema: undefined,
    onEvent: (event) => events.push(event),
  });
  const output = outputs(model.requests[1])['c1'] as ToolOutputBody | undefined;
  const ended = events.flatMap((event) => (event.kind === 'item-end' && event.item.id === 'c1' ? [event.item] : []));
  return { output, item: ended[0] };
}

/** A patch never reaches a shell. */
const NO_RUNNER: CommandRunner = {
  shell: { name: 'bash', path: '/bin/bash' },
  argv: () => [],
  run: () => Promise.reject(new Error('a command was run')),
  openSession: () => Promise.reject(new Error('a session was opened')),
  writeSession: () => Promise.reject(new Error('a session was written to')),
  warmUp: () => undefined,
  close: () => Promise.resolve(),
};

function rooted<Value>(value: Value, folder: string): Value {
  if (value === undefined) return value;
  const text = JSON.stringify(value).replaceAll(folder, '{root}').replaceAll(dirname(folder), '{around}');
  return JSON.parse(text) as Value;
}
