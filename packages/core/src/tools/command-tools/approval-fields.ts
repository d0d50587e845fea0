import type { JsonObject } from '@quire/protocol';
import type { RequestedPermissions } from '../../approval/requested-permissions.ts';
import { type ArgumentReading, invalid } from '../call-arguments.ts';

/** Fields of every command tool by which the model asks for more than the sandbox gives. Source: the peer's tools. */
export const APPROVAL_PROPERTIES = {
  sandbox_permissions: {
    type: 'string',
    enum: ['use_default', 'require_escalated'],
    description:
      'Default: use_default. With require_escalated the command runs without the sandbox, once the user allowed it; ask for that only when the sandbox is in the way.',
  },
  justification: {
    type: 'string',
    description: 'With require_escalated: one sentence for the user on why the command needs it.',
  },
  prefix_rule: {
    type: 'array',
    items: { type: 'string' },
    description:
      'With require_escalated: the first words of the command, such as ["npm", "install"], that the user may allow for good.',
  },
} as const;

export function readPermissions(args: JsonObject): ArgumentReading<RequestedPermissions> {
  const mode = args['sandbox_permissions'] ?? 'use_default';
  if (mode !== 'use_default' && mode !== 'require_escalated') {
    return invalid('`sandbox_permissions` must be "use_default" or "require_escalated"');
  }
  const justification = args['justification'] ?? undefined;
  if (justification !== undefined && typeof justification !== 'string') {
    return invalid('`justification` must be a string');
  }
  const prefixRule = args['prefix_rule'] ?? undefined;
  if (prefixRule !== undefined && !isStrings(prefixRule)) return invalid('`prefix_rule` must be an array of strings');
  return { kind: 'ok', value: { escalated: mode === 'require_escalated', justification, prefixRule } };
}

export function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
