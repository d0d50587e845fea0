import type { JsonObject, JsonValue } from '@quire/protocol';
import { isJsonObject } from '@quire/protocol';
import type { WorkspaceFiles } from '../../ports/workspace-files.ts';
import { utf8Length, utf8Prefix } from '../../utf8.ts';
import { type ArgumentReading, invalid } from '../call-arguments.ts';
import { collect, readAbsolutePath, readCount, readSwitch } from './file-arguments.ts';
import { type FileAnswer, FileTool } from './file-tool.ts';
import { type BlockRules, blockAround, type IndentedLine, IndentMeter } from './indentation.ts';

/** Source: the peer. */
const DEFAULTS = { offset: 1, limit: 2_000 } as const;
const MAX_LINE_BYTES = 500;
/** More than any model's output policy keeps: what is beyond would be held in memory to be thrown away. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Lines kept on each side of an anchor. A block of more is of no use to a model. */
const MAX_BLOCK_LINES = 50_000;

interface SliceArguments {
  readonly mode: 'slice';
  readonly path: string;
  readonly offset: number;
  readonly limit: number;
}

interface BlockArguments {
  readonly mode: 'indentation';
  readonly path: string;
  readonly anchor: number;
  readonly rules: BlockRules;
}

type ReadArguments = SliceArguments | BlockArguments;

const INDENTATION_SCHEMA = {
  type: 'object',
  description: 'For the mode `indentation`.',
  properties: {
    anchor_line: { type: 'number', description: 'Line to read around. Default: `offset`.' },
    max_levels: { type: 'number', description: 'How many enclosing levels to show. Default: 0, which means all.' },
    include_siblings: { type: 'boolean', description: 'Show blocks of the same level too. Default: false.' },
    include_header: { type: 'boolean', description: 'Show the comment above the block too. Default: true.' },
    max_lines: { type: 'number', description: 'How many lines to show at most. Default: `limit`.' },
  },
  additionalProperties: false,
} as const;

/** Source for arguments and output: the peer's `read_file`. */
export function readFile(files: WorkspaceFiles): FileTool<ReadArguments> {
  return new FileTool<ReadArguments>({
    name: 'read_file',
    description:
      'Reads a text file, with a number before each line. `slice` shows lines from `offset` on; `indentation` shows the block of code that a line is in.',
    properties: {
      file_path: { type: 'string', description: 'Absolute path of the file.' },
      offset: { type: 'number', description: `First line to show, counted from 1. Default: ${DEFAULTS.offset}.` },
      limit: { type: 'number', description: `How many lines to show at most. Default: ${DEFAULTS.limit}.` },
      mode: { type: 'string', enum: ['slice', 'indentation'], description: 'Default: `slice`.' },
      indentation: INDENTATION_SCHEMA,
    },
    required: ['file_path'],
    read: readArguments,
    run: (args, { signal }) =>
      args.mode === 'slice' ? readSlice(files, args, signal) : readBlock(files, args, signal),
  });
}

async function readSlice(files: WorkspaceFiles, args: SliceArguments, signal: AbortSignal): Promise<FileAnswer> {
  const output = new NumberedLines();
  const reading = await files.readLines(args.path, {
    firstLine: args.offset,
    onLine: (line) => output.add({ number: args.offset + output.count, text: line }) && output.count < args.limit,
    signal,
  });
  if (reading.kind === 'failed') return reading;
  if (reading.value === 0) return { kind: 'failed', reason: 'offset exceeds file length' };
  return output.answer();
}

/** All lines above the anchor are looked at, because a blank one takes the indent of what came before; few are kept. */
async function readBlock(files: WorkspaceFiles, args: BlockArguments, signal: AbortSignal): Promise<FileAnswer> {
  const { limit } = args.rules;
  const meter = new IndentMeter();
  const above = new LastLines(limit - 1);
  const below: IndentedLine[] = [];
  let anchor: IndentedLine | undefined;
  const reading = await files.readLines(args.path, {
    onLine: (text) => {
      const line = meter.measure(text);
      if (line.number < args.anchor) above.add(line);
      else if (line.number === args.anchor) anchor = line;
      else below.push(line);
      return line.number < args.anchor + limit - 1;
    },
    signal,
  });
  if (reading.kind === 'failed') return reading;
  if (anchor === undefined) {
    return {
      kind: 'failed',
      reason: `anchor_line exceeds file length: it is ${args.anchor}, of ${reading.value} lines`,
    };
  }
  const output = new NumberedLines();
  for (const line of blockAround({ above: above.lines, anchor, below }, args.rules)) if (!output.add(line)) break;
  return output.answer();
}

/** The text of an answer, up to its limit. */
class NumberedLines {
  readonly #lines: string[] = [];
  #bytes = 0;
  #next = 0;

  get count(): number {
    return this.#lines.length;
  }

  /** `false`: there is no room for more. */
  add({ number, text }: { readonly number: number; readonly text: string }): boolean {
    const line = `L${number}: ${utf8Prefix(text, MAX_LINE_BYTES)}`;
    this.#bytes += utf8Length(line) + 1;
    this.#lines.push(line);
    this.#next = number + 1;
    return this.#bytes < MAX_OUTPUT_BYTES;
  }

  answer(): FileAnswer {
    const text = this.#lines.join('\n');
    return {
      kind: 'text',
      text:
        this.#bytes < MAX_OUTPUT_BYTES ? text : `${text}\n(too long to show at once: read on from line ${this.#next})`,
    };
  }
}

/** The last lines of many. */
class LastLines {
  readonly #capacity: number;
  #lines: IndentedLine[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get lines(): readonly IndentedLine[] {
    return this.#capacity === 0 ? [] : this.#lines.slice(-this.#capacity);
  }

  add(line: IndentedLine): void {
    this.#lines.push(line);
    if (this.#lines.length >= 2 * this.#capacity + 64) this.#lines = [...this.lines];
  }
}

function readArguments(args: JsonObject): ArgumentReading<ReadArguments> {
  const slice = collect<Omit<SliceArguments, 'mode'>>({
    path: readAbsolutePath(args, 'file_path'),
    offset: readCount(args, 'offset', { fallback: DEFAULTS.offset }),
    limit: readCount(args, 'limit', { fallback: DEFAULTS.limit }),
  });
  if (slice.kind === 'invalid') return slice;
  const mode = args['mode'] ?? 'slice';
  if (mode === 'slice') return { kind: 'ok', value: { mode, ...slice.value } };
  if (mode !== 'indentation') return invalid('`mode` must be `slice` or `indentation`');
  return readBlockArguments(args['indentation'] ?? {}, slice.value);
}

function readBlockArguments(
  args: JsonValue,
  { path, offset, limit }: Omit<SliceArguments, 'mode'>,
): ArgumentReading<BlockArguments> {
  if (!isJsonObject(args)) return invalid('`indentation` must be an object');
  const reading = collect<{
    anchor: number;
    maxLevels: number;
    includeSiblings: boolean;
    includeHeader: boolean;
    maxLines: number;
  }>({
    anchor: readCount(args, 'anchor_line', { fallback: offset }),
    maxLevels: readCount(args, 'max_levels', { fallback: 0, min: 0 }),
    includeSiblings: readSwitch(args, 'include_siblings', { fallback: false }),
    includeHeader: readSwitch(args, 'include_header', { fallback: true }),
    maxLines: readCount(args, 'max_lines', { fallback: limit }),
  });
  if (reading.kind === 'invalid') return reading;
  const { anchor, maxLines, ...rules } = reading.value;
  const value = {
    mode: 'indentation',
    path,
    anchor,
    rules: { ...rules, limit: Math.min(limit, maxLines, MAX_BLOCK_LINES) },
  } as const;
  return { kind: 'ok', value };
}
