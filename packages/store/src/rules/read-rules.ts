import fs from 'node:fs/promises';
import path from 'node:path';
import { parseRules, type RuleSet } from '@quire/core';
import { describeSystemError, systemErrorCode } from '@quire/files';

/** Inside of a configuration folder. */
export const RULES_FOLDER = 'rules';
const MAX_FILE_BYTES = 1_048_576;

/**
 * The rules of `rules/*.rules` in a configuration folder, files in the order of their names. None when the folder is
 * not there. Rejects with an error that names the file.
 */
export async function readRulesFolder(configFolder: string): Promise<readonly RuleSet[]> {
  const folder = path.join(configFolder, RULES_FOLDER);
  const names = (await listFolder(folder)).filter((name) => name.endsWith('.rules')).sort();
  const sets: RuleSet[] = [];
  for (const name of names) sets.push(await readRulesFile(path.join(folder, name)));
  return sets;
}

/** @throws RulesError, or an Error that names the file */
export async function readRulesFile(file: string): Promise<RuleSet> {
  return parseRules(await readText(file), { source: file });
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await fs.readdir(folder);
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return [];
    throw new Error(`${folder} can not be read: ${describeSystemError(cause)}`, { cause });
  }
}

async function readText(file: string): Promise<string> {
  try {
    const stat = await fs.stat(file);
    // A pipe would keep its reader waiting.
    if (!stat.isFile()) throw new Error('it is not a file');
    if (stat.size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await fs.readFile(file));
  } catch (cause) {
    const reason = cause instanceof TypeError ? 'it is not UTF-8 text' : describeSystemError(cause);
    throw new Error(`${file} can not be read: ${reason}`, { cause });
  }
}
