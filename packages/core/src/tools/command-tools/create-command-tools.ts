import type { CommandSettings, ShellToolForm } from '../../thread/settings.ts';
import type { ApplyPatchTool } from '../apply-patch.ts';
import { ExecCommandTool, type SessionPorts } from '../exec-command.ts';
import { LOCAL_SHELL } from '../local-shell.ts';
import { SHELL } from '../shell.ts';
import { SHELL_COMMAND } from '../shell-command.ts';
import type { Tool } from '../tool.ts';
import { WriteStdinTool } from '../write-stdin.ts';
import { BoundedCommandTool } from './bounded-command-tool.ts';

/**
 * The command tools: those of `form` are offered, the others are served all the same, for models that call what they
 * know. None at all for the form `none`.
 */
export function createCommandTools(
  { form, commands }: { readonly form: ShellToolForm; readonly commands: CommandSettings },
  ports: SessionPorts,
  applyPatch: ApplyPatchTool,
): readonly Tool[] {
  if (form === 'none') return [];
  const parts = (own: ShellToolForm) => ({ ports, applyPatch, offer: form === own ? commands : undefined });
  return [
    new BoundedCommandTool(SHELL, parts('shell')),
    new BoundedCommandTool(LOCAL_SHELL, parts('local-shell')),
    new ExecCommandTool(ports, applyPatch, parts('unified-exec')),
    new WriteStdinTool(ports, parts('unified-exec')),
    new BoundedCommandTool(SHELL_COMMAND, parts('shell-command')),
  ];
}
