import type { ApprovalPolicy, TurnContextLine } from '@quire/protocol';
import { expect, test } from 'vitest';
import { contextDifference } from '../../src/context/context-difference.ts';
import { permissionsSection } from '../../src/context/permissions.ts';
import { turnContextLine } from '../../src/context/turn-context-line.ts';
import { granular, sandboxPolicy } from '../approval/approval-context.ts';
import { contextSettings } from './context-settings.ts';

const ASKS = granular({ sandboxApproval: true, rules: false });
const REFUSES = granular({ sandboxApproval: false, rules: false });

test('the model is told to escalate only under policies that let it ask [APR-41]', () => {
  const policies: readonly ApprovalPolicy[] = ['untrusted', 'on-failure', 'on-request', 'never', ASKS, REFUSES];
  const sandbox = sandboxPolicy('workspace-write');
  const texts = policies.map((policy) => permissionsSection(sandbox, policy));
  expect(texts.map((text) => text.includes('`require_escalated`'))).toEqual([false, false, true, false, true, false]);
  expect(texts.map((text) => text.includes('do not ask for escalation') || text.includes('Do not ask for'))).toEqual([
    ...[true, true, false, true, false, true],
  ]);
});

test.each<[string, TurnContextLine['approval_policy'], ApprovalPolicy, boolean]>([
  [
    'the same switches',
    {
      granular: {
        sandbox_approval: true,
        rules: false,
        mcp_elicitations: true,
        request_permissions: true,
        skill_approval: true,
      },
    },
    ASKS,
    false,
  ],
  [
    'the same switches in the older form',
    {
      reject: {
        sandbox_approval: false,
        rules: true,
        mcp_elicitations: false,
        request_permissions: false,
        skill_approval: false,
      },
    },
    ASKS,
    false,
  ],
  [
    'another switch',
    {
      granular: {
        sandbox_approval: false,
        rules: false,
        mcp_elicitations: true,
        request_permissions: true,
        skill_approval: true,
      },
    },
    ASKS,
    true,
  ],
  ['a name', 'on-request', ASKS, true],
  ['something unknown', 'sometimes', 'never', true],
])(
  '%s in a stored line is told again only if it means something else [APR-41]',
  (_title, stored, approvalPolicy, isTold) => {
    const settings = contextSettings({ approvalPolicy });
    const baseline = {
      ...turnContextLine(settings, { turnId: undefined, outputSchema: undefined }),
      approval_policy: stored,
    };
    const told = contextDifference(settings, { baseline, previousModel: settings.model.slug, history: [] });
    const texts = told.flatMap(({ content }) => content.map((part) => ('text' in part ? part.text : '')));
    expect(texts.includes(permissionsSection(settings.sandbox, approvalPolicy))).toBe(isTold);
  },
);
