import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allowRuleText, parseRules } from '@quire/core';
import { describeSystemError, flushFolder, systemErrorCode } from '@quire/files';
import { AppendFile } from '../rollout/append-file.ts';
import { RolloutError } from '../rollout/rollout-error.ts';
import { lockRollout, type RolloutLock } from '../rollout/rollout-lock.ts';
import { hasAllowRule } from './has-allow-rule.ts';

const LOCK_PAUSE_MS = 20;
const LOCK_PAUSES = 150;

/**
 * Adds a line to a rules file that allows what begins with `prefix`, unless one like it is there. Processes take turns.
 * The file and its folder are made when they are missing, for their owner alone. Rejects with an error that names the
 * file; then it is as it was.
 */
export async function addAllowRule(file: string, prefix: readonly string[]): Promise<void> {
  const folder = path.dirname(file);
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Error(`${folder} can not be made: ${describeSystemError(cause)}`, { cause });
  }
  const lock = await takeLock(file);
  try {
    appendRule(file, prefix);
  } finally {
    lock.release();
  }
  await flushFolder(folder);
}

/** Others hold the lock for the time of one line. */
async function takeLock(file: string): Promise<RolloutLock> {
  for (let pauses = 0; ; pauses += 1) {
    try {
      return lockRollout(file);
    } catch (error) {
      if (!(error instanceof RolloutError) || error.code !== 'in-use' || pauses === LOCK_PAUSES) throw error;
      await sleep(LOCK_PAUSE_MS);
    }
  }
}

/** Synchronous, because threads of one process share the lock. */
function appendRule(file: string, prefix: readonly string[]): void {
  const known = readIfThere(file);
  if (hasAllowRule(parseRules(known, { source: file }), prefix)) return;
  const line = `${known === '' || known.endsWith('\n') ? '' : '\n'}${allowRuleText(prefix)}`;
  const append = new AppendFile({ path: file, fd: openToAppend(file) });
  try {
    append.append(new TextEncoder().encode(line));
  } finally {
    append.close();
  }
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return '';
    throw new Error(`${file} can not be read: ${describeSystemError(cause)}`, { cause });
  }
}

function openToAppend(file: string): number {
  try {
    return fs.openSync(file, 'a+', 0o600);
  } catch (cause) {
    throw new Error(`${file} can not be written: ${describeSystemError(cause)}`, { cause });
  }
}
