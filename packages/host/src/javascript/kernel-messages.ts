import { isJsonObject, type JsonValue, stringAt } from '@quire/protocol';

/**
 * What the host tells the kernel and the other way round, as JSON lines. Standard streams are left to the code that
 * runs there: two descriptors of their own carry these, so that nothing that is printed can be taken for a message.
 * Names and fields are the peer's, but for `output`, `exec_begun` and `fatal`, which are ours: what is printed is sent
 * at once, and so is not lost when the kernel has to be killed. Source: the peer.
 */
export type HostMessage =
  | {
      readonly type: 'exec';
      readonly id: string;
      readonly code: string;
      readonly cwd: string;
      readonly bindings: readonly CellBinding[];
    }
  | {
      readonly type: 'run_tool_result' | 'emit_image_result';
      readonly id: string;
      readonly ok: boolean;
      readonly response?: JsonValue;
      readonly error?: string;
    };

/** A name that a cell declares at its top level. `var` keeps the value that an earlier cell gave to the name. */
export interface CellBinding {
  readonly name: string;
  readonly kind: 'var' | 'other';
}

export type KernelMessage =
  | { readonly type: 'output'; readonly text: string }
  | { readonly type: 'exec_begun'; readonly id: string }
  | { readonly type: 'exec_result'; readonly id: string; readonly ok: boolean; readonly error: string }
  | { readonly type: 'run_tool'; readonly id: string; readonly toolName: string; readonly input: JsonValue }
  | {
      readonly type: 'emit_image';
      readonly id: string;
      readonly imageUrl: string;
      readonly detail: string | undefined;
    }
  | { readonly type: 'fatal'; readonly reason: 'exception' | 'rejection'; readonly error: string };

/** `undefined` for what is no message: the code that runs in the kernel can write whatever it likes. */
export function parseKernelMessage(line: string): KernelMessage | undefined {
  const raw = parseJson(line);
  if (!isJsonObject(raw)) return undefined;
  const type = stringAt(raw, 'type');
  const text = stringAt(raw, 'text');
  if (type === 'output') return text === undefined ? undefined : { type, text };
  const error = stringAt(raw, 'error') ?? '';
  if (type === 'fatal') return { type, reason: raw['reason'] === 'exception' ? 'exception' : 'rejection', error };
  const id = stringAt(raw, 'id');
  if (id === undefined) return undefined;
  if (type === 'exec_begun') return { type, id };
  if (type === 'exec_result') return { type, id, ok: raw['ok'] === true, error };
  if (type === 'run_tool') {
    const toolName = stringAt(raw, 'tool_name');
    const input = raw['arguments'];
    return toolName === undefined || input === undefined ? undefined : { type, id, toolName, input };
  }
  const imageUrl = stringAt(raw, 'image_url');
  if (type !== 'emit_image' || imageUrl === undefined) return undefined;
  return { type, id, imageUrl, detail: stringAt(raw, 'detail') };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // the caller treats it as no message
  }
}
