import type { ToolCallItem } from '@quire/protocol';
import { detectPatchArgv, detectPatchScript } from '../../patch/index.ts';
import { resolvePath } from '../../paths.ts';
import type { ApplyPatchTool } from '../apply-patch.ts';
import type { ToolContext, ToolResult } from '../tool.ts';
import { toolError } from '../tool-router.ts';

/** Applies a command that is a patch, in this process; `undefined`: it is none. */
export async function interceptPatch(
  call: ToolCallItem,
  command: ({ readonly script: string } | { readonly argv: readonly string[] }) & { readonly cwd: string },
  parts: { readonly tool: string; readonly applyPatch: ApplyPatchTool; readonly context: ToolContext },
): Promise<ToolResult | undefined> {
  const { tool, applyPatch, context } = parts;
  const patch = 'argv' in command ? detectPatchArgv(command.argv) : detectPatchScript(command.script);
  if (patch === undefined) return undefined;
  if (patch.kind === 'raw-patch') {
    return toolError(call, tool, 'this is a patch, not a command: call the `apply_patch` tool with it');
  }
  const cwd = patch.cwdOffset === undefined ? command.cwd : resolvePath(command.cwd, patch.cwdOffset);
  return applyPatch.applyText(call, patch.patch, { ...context, cwd });
}
