import type { ThreadId } from '@quire/protocol';
import { expect, test } from 'vitest';
import { tellDamagedThreads } from '../../src/exec/damaged-threads.ts';
import { MemorySink } from '../support/memory-streams.ts';

test('of many damaged threads three are named, in one line without control characters [THR-25]', () => {
  const stderr = new MemorySink();
  const threads = ['/a\n.jsonl', '/b.jsonl', '/c.jsonl', '/d.jsonl', '/e.jsonl'].map((rolloutPath) => ({
    threadId: '01a1fb78-4bdd-7351-aa59-3fb83be1e59d' as ThreadId,
    rolloutPath,
  }));
  tellDamagedThreads(threads, stderr);
  expect(stderr.text).toMatch(
    /^quire: 5 threads can not be listed: [^\n]*: [^\n]*\.jsonl, \/b\.jsonl, \/c\.jsonl and 2 more; open one with quire exec resume ID[^\n]*\n$/,
  );
});
