import {
  isJsonObject,
  type JsonObject,
  type PlanStep,
  type ResponseItem,
  stringAt,
  type ToolOutputBody,
} from '@quire/protocol';
import { detectPatchArgv, detectPatchScript, type ParsedPatch, PatchError, parsePatch } from '../patch/index.ts';
import { resolvePath } from '../paths.ts';
import { quoteArgv } from '../shell/index.ts';
import { parseArguments } from '../tools/call-arguments.ts';
import { type FileRead, readsOfScript } from './file-reads.ts';

export type ChangeKind = 'added' | 'changed' | 'deleted' | 'moved';

export interface FileChange {
  /** Absolute. */
  readonly path: string;
  readonly kind: ChangeKind;
}

/** What a tool call does to the work, if it succeeds. */
export type ToolEffect =
  | { readonly kind: 'plan'; readonly steps: readonly PlanStep[] }
  | { readonly kind: 'patch'; readonly changes: readonly FileChange[] }
  | {
      readonly kind: 'command';
      readonly line: string;
      readonly reads: readonly FileRead[];
      readonly isOnlyReading: boolean;
    };

const SHELL_FLAGS: readonly (string | undefined)[] = ['-lc', '-c'];
const FOLLOWED_FUNCTIONS: ReadonlySet<string> = new Set([
  'shell_command',
  'exec_command',
  'shell',
  'container.exec',
  'apply_patch',
  'update_plan',
]);
const PLAN_STATUSES: ReadonlySet<string> = new Set(['pending', 'in_progress', 'completed']);

/** `undefined`: no call, or one of a tool that the ledger does not follow, or one that can not be read. */
export function effectOf(item: ResponseItem, cwd: string): ToolEffect | undefined {
  if (item.type === 'custom_tool_call') return item.name === 'apply_patch' ? patchEffect(item.input, cwd) : undefined;
  if (item.type === 'local_shell_call') {
    return argvEffect(item.action['command'], resolvePath(cwd, stringAt(item.action, 'working_directory') ?? '.'));
  }
  if (item.type !== 'function_call' || !FOLLOWED_FUNCTIONS.has(item.name)) return undefined;
  const parsed = parseArguments(item);
  return parsed.kind === 'ok' ? functionEffect(item.name, parsed.value, cwd) : undefined;
}

function functionEffect(name: string, args: JsonObject, cwd: string): ToolEffect | undefined {
  const workdir = resolvePath(cwd, stringAt(args, 'workdir') ?? '.');
  switch (name) {
    case 'shell_command':
      return scriptEffect(args['command'], workdir);
    case 'exec_command':
      return scriptEffect(args['cmd'], workdir);
    case 'shell':
    case 'container.exec':
      return argvEffect(args['command'], workdir);
    case 'apply_patch':
      return patchEffect(args['input'], cwd);
    case 'update_plan':
      return planEffect(args['plan']);
    default:
      return undefined;
  }
}

function scriptEffect(script: unknown, cwd: string): ToolEffect | undefined {
  if (typeof script !== 'string') return undefined;
  const patch = detectPatchScript(script);
  if (patch?.kind === 'patch') return patchEffect(patch.patch, resolvePath(cwd, patch.cwdOffset ?? '.'));
  return { kind: 'command', line: script, ...readsOfScript(script, cwd) };
}

function argvEffect(command: unknown, cwd: string): ToolEffect | undefined {
  if (!Array.isArray(command) || command.length === 0) return undefined;
  const argv = (command as readonly unknown[]).map(String);
  const patch = detectPatchArgv(argv);
  if (patch?.kind === 'patch') return patchEffect(patch.patch, resolvePath(cwd, patch.cwdOffset ?? '.'));
  const script = argv.length === 3 && SHELL_FLAGS.includes(argv[1]) ? argv[2] : undefined;
  return scriptEffect(script ?? quoteArgv(argv), cwd);
}

function patchEffect(text: unknown, cwd: string): ToolEffect | undefined {
  if (typeof text !== 'string') return undefined;
  let patch: ParsedPatch;
  try {
    patch = parsePatch(text);
  } catch (error) {
    // Such a call changes nothing.
    if (error instanceof PatchError) return undefined;
    throw error;
  }
  const changes = patch.sections.flatMap((section): readonly FileChange[] => {
    const path = resolvePath(cwd, section.path);
    if (section.kind === 'add') return [{ path, kind: 'added' }];
    if (section.kind === 'delete') return [{ path, kind: 'deleted' }];
    if (section.moveTo === undefined) return [{ path, kind: 'changed' }];
    return [
      { path, kind: 'deleted' },
      { path: resolvePath(cwd, section.moveTo), kind: 'moved' },
    ];
  });
  return { kind: 'patch', changes };
}

function planEffect(plan: unknown): ToolEffect | undefined {
  const steps = readPlanSteps(plan);
  return steps === undefined ? undefined : { kind: 'plan', steps };
}

/** The steps of a plan; `undefined` when one of them is none, as the tool refuses it then. */
export function readPlanSteps(plan: unknown): readonly PlanStep[] | undefined {
  if (!Array.isArray(plan)) return undefined;
  const steps: PlanStep[] = [];
  for (const entry of plan as readonly unknown[]) {
    const step = isJsonObject(entry) ? stringAt(entry, 'step') : undefined;
    const status = isJsonObject(entry) ? stringAt(entry, 'status') : undefined;
    if (step === undefined || status === undefined || !PLAN_STATUSES.has(status)) return undefined;
    steps.push({ step, status: status as PlanStep['status'] });
  }
  return steps;
}

/** How a call ended: by its exit code, or in the words of its output's first line. */
export type CallOutcome =
  | { readonly kind: 'exit'; readonly exitCode: number }
  | { readonly kind: 'other'; readonly text: string };

/** Characters at the start and the end of an output that are looked at. */
const OUTPUT_ENDS = 400;

/** Source of the forms: outputs of the peer's shell tools, text and JSON. */
export function outcomeOf(body: ToolOutputBody): CallOutcome {
  const output = typeof body === 'string' ? body : (body.find((part) => part.type === 'input_text')?.text ?? '');
  const head = output.slice(0, OUTPUT_ENDS);
  const code = output.startsWith('{')
    ? /"exit_code"\s*:\s*(-?\d{1,10})/.exec(output.slice(-OUTPUT_ENDS))?.[1]
    : /^(?:Exit code: |Process exited with code )(-?\d{1,10})$/m.exec(head.split('\nOutput:\n', 1)[0] ?? '')?.[1];
  if (code !== undefined) return { kind: 'exit', exitCode: Number(code) };
  const running = /^Process running with session ID \d+$/m.exec(head)?.[0];
  return { kind: 'other', text: running ?? head.split('\n', 1)[0] ?? '' };
}
