import type { Attempt, SandboxGroup } from '../support/attempt.ts';
import { AGENTS } from './agents.ts';
import { DELAY } from './delay.ts';
import { GIT } from './git.ts';
import { KERNEL } from './kernel.ts';
import { PROCESSES } from './processes.ts';
import { SOCKETS } from './sockets.ts';
import { LINKS, WRITES } from './writes.ts';

export const GROUPS: readonly (readonly [name: SandboxGroup, attempts: readonly Attempt[]])[] = [
  ['writes outside', WRITES],
  ['links', LINKS],
  ['git', GIT],
  ['configuration of agents', AGENTS],
  ['processes', PROCESSES],
  ['sockets', SOCKETS],
  ['kernel', KERNEL],
  ['environment and delay', DELAY],
];
