import type { ModelInfo } from '@quire/protocol';
import type { ShellToolForm, ToolChoices, ToolSettings } from '../../thread/settings.ts';
import { allowsOriginalImages } from './images.ts';

const SHELL_FORMS: Readonly<Record<ModelInfo['shellType'], ShellToolForm>> = {
  default: 'shell',
  local: 'local-shell',
  unified_exec: 'unified-exec',
  shell_command: 'shell-command',
  disabled: 'none',
};

/** The tools that a model was trained on, within what was chosen. */
export function resolveTools(model: ModelInfo, choices: ToolChoices): ToolSettings {
  const enabled = new Set([...choices.enabled, ...model.experimentalTools]);
  for (const name of choices.disabled) enabled.delete(name);
  return {
    shell: shellForm(SHELL_FORMS[model.shellType], choices),
    enabled,
    originalImages: allowsOriginalImages(model, { feature: choices.originalImages }),
  };
}

function shellForm(form: ShellToolForm, { shell, unifiedExec }: ToolChoices): ShellToolForm {
  if (!shell || form === 'none') return 'none';
  return unifiedExec ? 'unified-exec' : form;
}
