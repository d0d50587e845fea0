import path from 'node:path';
import type { Environment } from '../home.ts';

/** Settings of an administrator that go above everything else. Source: the peer's older way to manage machines. */
export const MANAGED_FILE = 'managed_config.toml';
/** What an administrator allows. Source: the peer. */
export const REQUIREMENTS_FILE = 'requirements.toml';

/** Where machine-wide files are. Absolute. Source: the peer. */
export function systemConfigFolder(environment: Environment): string {
  if (process.platform !== 'win32') return '/etc/codex';
  return path.join(environment['ProgramData'] || 'C:\\ProgramData', 'OpenAI', 'Codex');
}
