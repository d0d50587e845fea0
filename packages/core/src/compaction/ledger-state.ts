import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  numberAt,
  objectAt,
  type PlanStep,
  stringAt,
} from '@quire/protocol';
import type { FileExtent, LineRange } from './file-reads.ts';
import { type ChangeKind, readPlanSteps } from './tool-effects.ts';

export interface LedgerFile {
  /** Absent: it was changed, but never read. */
  readonly read?: FileExtent;
  readonly change?: ChangeKind;
  readonly hash?: string;
  /** Of its contents so far, the last ones: one that comes back is no progress. */
  readonly seenHashes?: readonly string[];
  /** Something else than a patch of this thread changed it after it was read. */
  readonly isStale?: true;
  /** Place in the order of everything noted. */
  readonly order: number;
}

export interface LedgerCommand {
  /** Absent: it ended in another way, told by `note`. */
  readonly exitCode?: number;
  readonly note?: string;
  readonly runs: number;
  /** It did at least once. */
  readonly hasSucceeded?: true;
  readonly order: number;
}

/** All that the ledger knows. The maps are in the order of the last change, oldest first. */
export interface LedgerState {
  /** Working directory at the last item: paths are shown relative to it. */
  cwd: string | undefined;
  firstGoal: string | undefined;
  latestGoal: string | undefined;
  plan: readonly PlanStep[];
  /** Texts of plan steps that were done at some time. */
  completedSteps: Set<string>;
  /** By absolute path. */
  files: Map<string, LedgerFile>;
  /** By command line. */
  commands: Map<string, LedgerCommand>;
  droppedFiles: number;
  droppedCommands: number;
  /** Grows with everything noted. */
  order: number;
  /** Grows when the work gets on. */
  progress: number;
}

const CHANGE_KINDS: ReadonlySet<string> = new Set(['added', 'changed', 'deleted', 'moved']);

export function ledgerStateToJson(state: LedgerState): JsonObject {
  const json = {
    version: 1,
    ...(state.cwd === undefined ? {} : { cwd: state.cwd }),
    ...(state.firstGoal === undefined ? {} : { first_goal: state.firstGoal }),
    ...(state.latestGoal === undefined ? {} : { latest_goal: state.latestGoal }),
    plan: state.plan,
    completed_steps: [...state.completedSteps],
    files: [...state.files].map(([path, file]) => fileToJson(path, file)),
    commands: [...state.commands].map(([line, command]) => commandToJson(line, command)),
    dropped_files: state.droppedFiles,
    dropped_commands: state.droppedCommands,
    order: state.order,
    progress: state.progress,
  };
  // Only strings, numbers, booleans, lists and plain objects are in it.
  return json as unknown as JsonObject;
}

function fileToJson(path: string, { read, change, hash, seenHashes, isStale, order }: LedgerFile): object {
  return {
    path,
    ...(read === undefined ? {} : { read: { whole: read.isWhole, lines: read.lines } }),
    ...(change === undefined ? {} : { change }),
    ...(hash === undefined ? {} : { hash }),
    ...(seenHashes === undefined ? {} : { seen: seenHashes }),
    ...(isStale === undefined ? {} : { stale: true }),
    order,
  };
}

function commandToJson(line: string, { exitCode, note, runs, hasSucceeded, order }: LedgerCommand): object {
  return {
    line,
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    ...(note === undefined ? {} : { note }),
    runs,
    ...(hasSucceeded === undefined ? {} : { succeeded: true }),
    order,
  };
}

/** Takes what it understands; anything else counts as not there. */
export function ledgerStateFromJson(json: JsonObject): LedgerState {
  return {
    cwd: stringAt(json, 'cwd'),
    firstGoal: stringAt(json, 'first_goal'),
    latestGoal: stringAt(json, 'latest_goal'),
    plan: readPlanSteps(json['plan']) ?? [],
    completedSteps: new Set(listAt(json, 'completed_steps').filter((step) => typeof step === 'string')),
    files: new Map(objectsAt(json, 'files').flatMap((entry) => named(stringAt(entry, 'path'), readFile(entry)))),
    commands: new Map(
      objectsAt(json, 'commands').flatMap((entry) => named(stringAt(entry, 'line'), readCommand(entry))),
    ),
    droppedFiles: countAt(json, 'dropped_files'),
    droppedCommands: countAt(json, 'dropped_commands'),
    order: countAt(json, 'order'),
    progress: countAt(json, 'progress'),
  };
}

function named<Entry>(name: string | undefined, entry: Entry): readonly (readonly [string, Entry])[] {
  return name === undefined ? [] : [[name, entry]];
}

function readFile(json: JsonObject): LedgerFile {
  const read = objectAt(json, 'read');
  const change = stringAt(json, 'change');
  const hash = stringAt(json, 'hash');
  const seen = listAt(json, 'seen').filter((entry) => typeof entry === 'string');
  return {
    ...(read === undefined ? {} : { read: readExtent(read) }),
    ...(change !== undefined && CHANGE_KINDS.has(change) ? { change: change as ChangeKind } : {}),
    ...(hash === undefined ? {} : { hash }),
    ...(seen.length === 0 ? {} : { seenHashes: seen }),
    ...(json['stale'] === true ? { isStale: true as const } : {}),
    order: countAt(json, 'order'),
  };
}

function readExtent(json: JsonObject): FileExtent {
  const lines = listAt(json, 'lines').filter(isLineRange);
  return { isWhole: json['whole'] === true, lines };
}

function isLineRange(value: unknown): value is LineRange {
  return Array.isArray(value) && value.length === 2 && value.every((line) => Number.isSafeInteger(line) && line > 0);
}

function readCommand(json: JsonObject): LedgerCommand {
  const exitCode = numberAt(json, 'exit_code');
  const note = stringAt(json, 'note');
  return {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(note === undefined ? {} : { note }),
    runs: Math.max(1, countAt(json, 'runs')),
    ...(json['succeeded'] === true ? { hasSucceeded: true as const } : {}),
    order: countAt(json, 'order'),
  };
}

function listAt(json: JsonObject, key: string): readonly JsonValue[] {
  const value = json[key];
  return Array.isArray(value) ? value : [];
}

function objectsAt(json: JsonObject, key: string): readonly JsonObject[] {
  return listAt(json, key).filter(isJsonObject);
}

function countAt(json: JsonObject, key: string): number {
  const value = numberAt(json, key);
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
