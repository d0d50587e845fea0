import type { Confinement } from '@quire/core';
import type { Sandbox, SandboxedStart } from '@quire/host';
import type { ThreadOptions } from './api.ts';
import { commandEnvironment, type Environment } from './environment.ts';
import type { Site } from './site.ts';
import { confinementAt } from './thread-settings.ts';

/** What a command of a thread with these options would be started as. */
export type SandboxedCommand = { readonly cwd: string; readonly confinement: Confinement } & (
  | SandboxedStart
  /** The policy allows everything: it is started as it is. */
  | { readonly kind: 'unconfined'; readonly environment: Readonly<Record<string, string>> }
);

export async function sandboxCommand(
  argv: readonly string[],
  parts: {
    readonly site: Site;
    readonly options: ThreadOptions;
    readonly environment: Environment;
    readonly sandbox: Sandbox;
  },
): Promise<SandboxedCommand> {
  const { site, options, sandbox } = parts;
  const { config, cwd } = site;
  const confinement = confinementAt(config, options, { cwd, processEnvironment: parts.environment });
  const environment = definedOnly(commandEnvironment(parts.environment, config));
  if (confinement.kind === 'none') return { kind: 'unconfined', cwd, confinement, environment };
  return { cwd, confinement, ...(await sandbox.wrap({ argv, cwd, confinement, environment })) };
}

function definedOnly(environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
