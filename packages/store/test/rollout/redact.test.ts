import fs from 'node:fs';
import type { RolloutLine } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { createRedactor, createRollout, openRollout } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { SAMPLE_META, threadId } from './sample.ts';

const ID = threadId('01a1fb9d-feda-7962-89cf-93dc3792b5aa');
const KNOWN = 'correct "horse"\nbattery';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ';

/** What becomes of a secret is the mark of its kind, or what is told here. */
const SECRETS: readonly [kind: string, secret: string, marked?: string][] = [
  ['api-key', `sk-proj-${LETTERS}`],
  ['api-key', `sk-ant-api03-${LETTERS}`],
  ['github-token', `ghp_${LETTERS.slice(0, 36)}`],
  ['github-token', `gho_${LETTERS.slice(0, 36)}`],
  ['github-token', `github_pat_${LETTERS}`],
  ['aws-key', `AKIA${'ABCDEFGHIJ234567'}`],
  ['aws-secret', `AWS_SECRET_ACCESS_KEY=${LETTERS.slice(0, 40)}`, 'AWS_SECRET_ACCESS_KEY=[redacted:aws-secret]'],
  ['slack-token', `xoxb-${'123456789012'}-abc`],
  ['google-key', `AIza${LETTERS.slice(0, 35)}`],
  ['jwt', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${LETTERS}`],
  ['private-key', `-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----`],
  ['bearer', `Authorization: Bearer ${LETTERS}`, 'Authorization: Bearer [redacted:bearer]'],
  ['password', 'https://ann:hunter2@example.com/x', 'https://ann:[redacted:password]@example.com/x'],
];

describe('known shapes', () => {
  const redactor = createRedactor();

  test.each(SECRETS)('a secret of the kind %s becomes its mark [STORE-80]', (kind, secret, marked) => {
    const expected = marked ?? `[redacted:${kind}]`;
    const value = { text: `before ${secret} behind`, list: [{ deep: secret }] };
    const json = redactor.redactJson(value, JSON.stringify(value));
    expect(JSON.parse(json)).toEqual({ text: `before ${expected} behind`, list: [{ deep: expected }] });
    expect(redactor.redactText(secret)).toBe(expected);
    // What is clean stays clean.
    expect(redactor.redactText(expected)).toBe(expected);
  });

  test('what only looks like them stays [STORE-81]', () => {
    const text = [
      'task-list-of-many-things-to-do-today and sk-short1',
      'sk-a-class-name-with-many-words-in-it',
      'a bearer of bad news, Bearer instrumentation',
      'https://example.com:8080/a@b and mailto:x@example.com',
      'AKIA is a prefix; xoxo; eyJ',
      '-----BEGIN CERTIFICATE-----',
    ].join('\n');
    const json = JSON.stringify({ text });
    expect(redactor.redactJson({ text }, json)).toBe(json);
  });

  test('encrypted content, images and ids are not looked into [STORE-81]', () => {
    const key = `sk-${LETTERS}`;
    const value = { id: key, call_id: key, encrypted_content: key, image_url: `data:image/png;base64,${key}` };
    expect(redactor.redactJson(value, JSON.stringify(value))).toBe(JSON.stringify(value));
  });
});

describe('known values', () => {
  test('are found in texts and in JSON inside of texts, the longest first; short ones are not looked for [STORE-82]', () => {
    const redactor = createRedactor([KNOWN, 'horse-battery', 'horse-battery-staple', 'short']);
    const value = {
      arguments: JSON.stringify({ command: `echo '${KNOWN}'` }),
      text: `short: ${KNOWN}, horse-battery-staple`,
    };
    const json = redactor.redactJson(value, JSON.stringify(value));
    expect(JSON.parse(json)).toEqual({
      arguments: JSON.stringify({ command: `echo '[redacted:known-value]'` }),
      text: 'short: [redacted:known-value], [redacted:known-value]',
    });
  });
});

test('whatever is written to a rollout went through the redaction, the header too [STORE-83]', async () => {
  using home = temporaryFolder();
  const options = { now: () => 0, secrets: [KNOWN] };
  const meta = { ...SAMPLE_META, base_instructions: { text: `say ${KNOWN}` } };
  const rollout = await createRollout({ ...options, home: home.path, threadId: ID, meta });
  const secrets = [KNOWN, ...SECRETS.map(([, secret]) => secret)];
  const lines = secrets.flatMap((secret): readonly RolloutLine[] => [
    { type: 'event_msg', payload: { type: 'agent_message', message: secret } },
    { type: 'response_item', payload: { type: 'function_call_output', call_id: 'c', output: `x ${secret}` } },
    {
      type: 'compacted',
      payload: { message: secret, replacement_history: [{ type: 'unknown', raw: { type: 'n', secret } }] },
    },
  ]);
  rollout.append(lines);
  rollout.close();
  const reopened = await openRollout(rollout.path, options);
  reopened.append(lines);
  reopened.close();

  const text = fs.readFileSync(rollout.path, 'utf8');
  for (const line of text.trimEnd().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  for (const secret of ['battery', 'hunter2', LETTERS.slice(0, 30), 'MIIE', 'ABCDEFGHIJ2345', '123456789012']) {
    expect(text.includes(secret)).toBe(false);
  }
});
