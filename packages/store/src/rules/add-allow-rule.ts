import fs from 'node:fs';
import path from 'node:path';
import { allowRuleText, parseRules } from '@quire/core';
import { describeSystemError, flushFolder, systemErrorCode, takeFileLock } from '@quire/files';
import { AppendFile } from '../rollout/append-file.ts';
import { hasAllowRule } from './has-allow-rule.ts';

/** Others hold the lock for the time of one line. */
const LOCK_WAIT_MS = 3000;

/**
 * Adds a line to a rules file that allows what begins with `prefix`, unless one like it is there. Writers take turns.
 * The file and its folder are made when they are missing, for their owner alone. Rejects with an error that names the
 * file; then it is as it was.
 */
export async function addAllowRule(file: string, prefix: readonly string[]): Promise<void> {
  await using _lock = await takeFileLock(`${realPathOf(file)}.lock`, { what: file, waitMs: LOCK_WAIT_MS });
  appendRule(file, prefix);
  await flushFolder(path.dirname(file));
}

/** Two spellings of one file share one lock. */
function realPathOf(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

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
