import fs from 'node:fs/promises';
import path from 'node:path';
import { describeSystemError, systemErrorCode } from '@quire/files';
import { ConfigError } from './config-error.ts';
import type { ConfigLayer, LayerKind } from './layers.ts';
import { parseTomlDocument } from './toml.ts';

/**
 * `undefined` when there is nothing in the file to parse.
 * @throws ConfigError 'unreadable-file', 'syntax'
 */
export async function readFileLayer(kind: LayerKind, file: string): Promise<ConfigLayer | undefined> {
  const text = await readConfigText(file);
  if (text === undefined) return undefined;
  const table = await parseTomlDocument(text, file);
  return { kind, source: file, text, baseDirectory: path.dirname(file), table };
}

/**
 * `undefined` when there is no file, or only white space in it.
 * @throws ConfigError 'unreadable-file'
 */
export async function readConfigText(file: string): Promise<string | undefined> {
  try {
    // Nobody may ever write to a pipe, and waiting for that can not be stopped.
    if ((await fs.stat(file)).isFIFO()) throw new Error('it is a pipe');
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await fs.readFile(file));
    return text.trim() === '' ? undefined : text;
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return undefined;
    const reason = cause instanceof TypeError ? 'it is not UTF-8 text; save it as UTF-8' : describeSystemError(cause);
    throw new ConfigError('unreadable-file', `${file} can not be read: ${reason}`, { source: file, cause });
  }
}
