import { setTimeout } from 'node:timers/promises';
import {
  findProcess,
  findProcesses,
  killGroup,
  killMarkedProcesses,
  type LiveProcess,
  type ProcessTree,
  sendSignal,
} from './marked-processes.ts';

/** How long processes may take to clean up before they are killed. The watchdog gives as much. */
export const GRACE_MS = 700;
const POLL_MS = 15;

/**
 * Asks every process of a tree to end, waits until all are gone, their last errands included, and kills what
 * is left after `graceMs`. For startup files: these take locks (pyenv does, for one) and every later login
 * shell would wait for one that nobody is left to release.
 */
export async function terminate(tree: ProcessTree, { graceMs = GRACE_MS } = {}): Promise<void> {
  const deadline = performance.now() + graceMs;
  // Found before anything is signalled, and signalled once: what a trap starts must not be hit.
  const members = await findProcesses(tree);
  for (const groupId of tree.groupIds) killGroup(groupId, 'SIGTERM');
  for (const { pid, groupId } of members) if (!tree.groupIds.includes(groupId)) sendSignal(pid, 'SIGTERM');
  await waitUntilGone(tree, { members, deadline });
  for (const groupId of tree.groupIds) killGroup(groupId);
  await killMarkedProcesses(tree.marker);
}

/**
 * Looks at the members it knows, and for others only when these are gone: that takes longer. One look that
 * finds none may have missed what was started during it.
 */
async function waitUntilGone(
  tree: ProcessTree,
  known: { readonly members: readonly LiveProcess[]; readonly deadline: number },
): Promise<void> {
  let { members } = known;
  while (members.length > 0 && performance.now() < known.deadline) {
    await setTimeout(POLL_MS);
    members = members.filter(({ pid }) => findProcess(pid) !== undefined);
    if (members.length === 0) members = await findProcesses(tree);
    if (members.length === 0) members = await findProcesses(tree);
  }
}
