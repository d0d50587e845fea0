import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadRefusals } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const RECORD = {
  atMs: Date.UTC(2026, 10, 21),
  clientVersion: '0.1.0',
  threadId: '019a0000-0000-7000-8000-000000000001',
  providerId: 'openai',
  tags: { auth_mode: 'Chatgpt', auth_401_request_id: 'req-1', auth_error: '' },
  reason: 'recovery_exhausted',
};

test('the last refusal is kept for its owner only, and replaces the one before [STORE-99]', async () => {
  using home = temporaryFolder();
  const { readRefusal, writeRefusal } = await loadRefusals();
  expect(readRefusal(home.path)).toBeUndefined();
  writeRefusal(home.path, { ...RECORD, threadId: 'earlier' }, []);
  writeRefusal(home.path, RECORD, []);
  expect(readRefusal(home.path)).toEqual(RECORD);
  expect(fs.readdirSync(home.path)).toEqual(['last-401.json']);
  expect(fs.statSync(path.join(home.path, 'last-401.json')).mode & 0o777).toBe(0o600);
});

test('secrets and long texts in it are cut, whatever the server said [STORE-100]', async () => {
  using home = temporaryFolder();
  const { readRefusal, writeRefusal } = await loadRefusals();
  const token = ['eyJhbGciOiJub25lIn0', 'eyJzdWIiOiJwZXJzb24ifQ', 'c2lnbmF0dXJl'].join('.');
  const tags = { auth_error: `bad known-secret-value and ${token}`, auth_401_error: 'x'.repeat(5000) };
  writeRefusal(home.path, { ...RECORD, tags }, ['known-secret-value']);
  const text = fs.readFileSync(path.join(home.path, 'last-401.json'), 'utf8');
  expect(text).not.toMatch(/known-secret-value|eyJhbGciOi/);
  expect(readRefusal(home.path)?.tags['auth_401_error']?.length).toBe(300);
});

test('a file that is none, and a folder that can not be written to, do no harm [STORE-101]', async () => {
  using home = temporaryFolder();
  const { readRefusal, writeRefusal } = await loadRefusals();
  for (const text of ['', '{', '[]', '{"at":"x","tags":{}}', '{"at":"2026-01-01T00:00:00Z","tags":3}']) {
    fs.writeFileSync(path.join(home.path, 'last-401.json'), text);
    expect(readRefusal(home.path)).toBeUndefined();
  }
  expect(() => writeRefusal(path.join(home.path, 'missing'), RECORD, [])).toThrow(/last-401\.json can not be written/);
});
