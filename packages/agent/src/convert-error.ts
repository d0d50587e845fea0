import { AuthError } from '@quire/auth';
import { McpError } from '@quire/host';
import { ConfigError, RolloutError, type RolloutErrorCode } from '@quire/store';
import { AgentError, type AgentErrorCode } from './agent-error.ts';

const ROLLOUT_CODES: Readonly<Partial<Record<RolloutErrorCode, AgentErrorCode>>> = {
  'not-found': 'thread-not-found',
  'no-such-message': 'invalid-argument',
};

/** The one place where errors of the parts become errors of this package. Unknown ones pass through. */
export function asAgentError(error: unknown): unknown {
  if (error instanceof AgentError) return error;
  const code = codeOf(error);
  if (code === undefined || !(error instanceof Error)) return error;
  return new AgentError(code, error.message, { cause: error });
}

function codeOf(error: unknown): AgentErrorCode | undefined {
  if (error instanceof ConfigError) return 'configuration';
  if (error instanceof RolloutError) return ROLLOUT_CODES[error.code] ?? 'rollout';
  if (error instanceof McpError) return 'mcp';
  if (error instanceof AuthError) return 'no-credentials';
  return undefined;
}
