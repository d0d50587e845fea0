import type { ApprovalPolicy, SandboxMode } from '@quire/protocol';
import type { Project } from './find-project.ts';
import type { SettingReader } from './setting-reader.ts';

/** What a person said of a project; `undefined`: nothing yet. */
export type Trust = 'trusted' | 'untrusted' | undefined;

/**
 * What was said of `directory`, or else of the root of the project, or else of the main checkout of its repository.
 * Each by its real path, then as it was named.
 *
 * @throws ConfigError for another word than the two
 */
export function readTrust(reader: SettingReader, directory: string, project: Project): Trust {
  const places = [directory, project.root, ...(project.mainCheckout === undefined ? [] : [project.mainCheckout])];
  const known = reader.tableKeys('projects');
  for (const name of places.flatMap((place) => [place, project.literalNames.get(place) ?? place])) {
    const id = known.find((key) => isSamePath(key, name));
    const trust = id === undefined ? undefined : readLevel(reader, id);
    if (trust !== undefined) return trust;
  }
  return undefined;
}

/** @throws ConfigError when another word than the two is said of any folder */
export function checkTrustLevels(reader: SettingReader): void {
  for (const id of reader.tableKeys('projects')) readLevel(reader, id);
}

function readLevel(reader: SettingReader, id: string): Trust {
  return reader.oneOf({ key: 'projects.<path>.trust_level', id }, ['trusted', 'untrusted']);
}

/** Windows does not tell cases apart. */
function isSamePath(left: string, right: string): boolean {
  return process.platform === 'win32' ? left.toLowerCase() === right.toLowerCase() : left === right;
}

export interface TrustDefaults {
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandboxMode: SandboxMode;
}

/** What holds where the configuration names no policy and no mode. Without a sandbox nothing may be written. */
export function trustDefaults(trust: Trust, options: { readonly canSandbox: boolean }): TrustDefaults {
  const writable: SandboxMode = options.canSandbox ? 'workspace-write' : 'read-only';
  if (trust === undefined) return { approvalPolicy: 'on-request', sandboxMode: 'read-only' };
  return { approvalPolicy: trust === 'trusted' ? 'on-request' : 'untrusted', sandboxMode: writable };
}
