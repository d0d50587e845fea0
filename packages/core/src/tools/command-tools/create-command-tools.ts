import type { ShellToolForm } from '../../thread/settings.ts';
import type { ApplyPatchTool } from '../apply-patch.ts';
import { ExecCommandTool, type SessionPorts } from '../exec-command.ts';
import { LocalShellTool } from '../local-shell.ts';
import { ShellTool } from '../shell.ts';
import { ShellCommandTool } from '../shell-command.ts';
import type { Tool } from '../tool.ts';
import { WriteStdinTool } from '../write-stdin.ts';

/**
 * The command tools: those of `form` are offered, the others are served all the same, for models that call what they
 * know. None at all for the form `none`.
 */
export function createCommandTools(
  form: ShellToolForm,
  ports: SessionPorts,
  applyPatch: ApplyPatchTool,
): readonly Tool[] {
  if (form === 'none') return [];
  const offeredIn = (own: ShellToolForm) => ({ offered: form === own });
  return [
    new ShellTool(ports, applyPatch, offeredIn('shell')),
    new LocalShellTool(ports, applyPatch, offeredIn('local-shell')),
    new ExecCommandTool(ports, applyPatch, offeredIn('unified-exec')),
    new WriteStdinTool(ports, offeredIn('unified-exec')),
    new ShellCommandTool(ports, applyPatch, offeredIn('shell-command')),
  ];
}
