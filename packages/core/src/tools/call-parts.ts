import type { ToolCallItem, ToolOutputBody } from '@quire/protocol';

/** As the model called it. */
export function nameOf(call: ToolCallItem): string {
  return call.type === 'local_shell_call' ? 'local_shell' : call.name;
}

/** Without its images. */
export function textOf(output: ToolOutputBody): string {
  if (typeof output === 'string') return output;
  return output.flatMap((part) => (part.type === 'input_text' ? [part.text] : [])).join('\n');
}
