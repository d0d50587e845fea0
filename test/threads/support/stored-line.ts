import { readFileSync } from 'node:fs';
import { ThreadReconstruction, type ThreadSeed } from '@quire/core';
import { isJsonObject, type JsonObject, type SessionMeta } from '@quire/protocol';
import { readRolloutBackwards } from '@quire/store';

const NEVER = new AbortController().signal;

export async function readSeed(path: string, home: string): Promise<{ seed: ThreadSeed; meta: SessionMeta }> {
  const reconstruction = new ThreadReconstruction();
  const { meta } = await readRolloutBackwards(path, {
    home,
    onLine: (line) => reconstruction.addOlder(line),
    needs: (lineType, payloadType) => reconstruction.needs(lineType, payloadType),
    signal: NEVER,
  });
  return { seed: reconstruction.finish(meta), meta };
}

/** The whole lines of a rollout from a byte on. */
export function linesFrom(path: string, start: number): readonly JsonObject[] {
  const texts = readFileSync(path).subarray(start).toString('utf8').split('\n').slice(0, -1);
  return texts.map((text) => JSON.parse(text) as unknown).filter(isJsonObject);
}
