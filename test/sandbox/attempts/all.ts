import type { Attempt } from '../support/attempt.ts';
import { AGENTS } from './agents.ts';
import { DELAY } from './delay.ts';
import { GIT } from './git.ts';
import { KERNEL } from './kernel.ts';
import { PROCESSES } from './processes.ts';
import { SOCKETS } from './sockets.ts';
import { LINKS, WRITES } from './writes.ts';

export interface AttemptGroup {
  /** What the attempts try to reach; a sentence goes on with it. */
  readonly name: string;
  /** The requirement that they test, in square brackets. */
  readonly requirement: string;
  readonly attempts: readonly Attempt[];
}

export const GROUPS: readonly AttemptGroup[] = [
  { name: 'files elsewhere', requirement: '[SBX-42]', attempts: WRITES },
  { name: 'files elsewhere through links', requirement: '[SBX-43]', attempts: LINKS },
  { name: 'what git runs', requirement: '[SBX-44]', attempts: GIT },
  { name: 'configuration of agents and users', requirement: '[SBX-45]', attempts: AGENTS },
  { name: 'other processes', requirement: '[SBX-46]', attempts: PROCESSES },
  { name: 'sockets and networks', requirement: '[SBX-47]', attempts: SOCKETS },
  { name: 'the kernel', requirement: '[SBX-48]', attempts: KERNEL },
  { name: 'other moments and the next command', requirement: '[SBX-49]', attempts: DELAY },
];
