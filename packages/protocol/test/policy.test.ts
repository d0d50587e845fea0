import { describe, expect, test } from 'vitest';
import { type ApprovalPolicy, approvalPolicyJson, approvalPolicyName, readApprovalPolicy } from '../src/index.ts';

const ALL = {
  sandbox_approval: true,
  rules: false,
  mcp_elicitations: true,
  request_permissions: false,
  skill_approval: true,
};
const GRANULAR: ApprovalPolicy = {
  kind: 'granular',
  sandboxApproval: true,
  rules: false,
  mcpElicitations: true,
  requestPermissions: false,
  skillApproval: true,
};

describe('an approval policy is read in every form that files hold [APR-01]', () => {
  test.each(['untrusted', 'on-failure', 'on-request', 'never'])('as the name %s', (name) => {
    expect(readApprovalPolicy(name)).toEqual({ kind: 'ok', policy: name, unknownKeys: [], missingKeys: [] });
  });

  test('as a table of what may be asked', () => {
    expect(readApprovalPolicy({ granular: ALL })).toEqual({
      kind: 'ok',
      policy: GRANULAR,
      unknownKeys: [],
      missingKeys: [],
    });
  });

  test('as the older table of what is rejected, which means the opposite', () => {
    const rejects = Object.fromEntries(Object.entries(ALL).map(([key, value]) => [key, !value]));
    expect(readApprovalPolicy({ reject: rejects })).toMatchObject({ policy: GRANULAR });
    expect(readApprovalPolicy({ reject: {} })).toMatchObject({ policy: { sandboxApproval: false, rules: false } });
  });

  test('a switch that is missing is off, and one that is not known is named', () => {
    expect(readApprovalPolicy({ granular: { rules: true, magic: 1 } })).toEqual({
      kind: 'ok',
      policy: {
        kind: 'granular',
        sandboxApproval: false,
        rules: true,
        mcpElicitations: false,
        requestPermissions: false,
        skillApproval: false,
      },
      unknownKeys: ['magic'],
      missingKeys: ['sandbox_approval', 'mcp_elicitations'],
    });
  });

  test.each([
    ['sometimes', /must be one of .* found "sometimes"/],
    [7, /must be a name or a table/],
    [null, /must be a name or a table/],
    [[], /must be a name or a table/],
    [{}, /only key/],
    [{ granular: {}, reject: {} }, /only key/],
    [{ other: {} }, /only key/],
    [{ granular: true }, /must hold a table in "granular"/],
    [{ granular: { rules: 'yes' } }, /true or false in granular.rules/],
  ])('%j is refused', (value, problem) => {
    expect(readApprovalPolicy(value)).toEqual({ kind: 'invalid', problem: expect.stringMatching(problem) });
  });
});

test('a policy is written as turn context lines spell it and read back the same [APR-02]', () => {
  expect(approvalPolicyJson('never')).toBe('never');
  expect(approvalPolicyJson(GRANULAR)).toEqual({ granular: ALL });
  expect(readApprovalPolicy(approvalPolicyJson(GRANULAR))).toMatchObject({ policy: GRANULAR });
  expect([approvalPolicyName('on-request'), approvalPolicyName(GRANULAR)]).toEqual(['on-request', 'granular']);
});
