import fs from 'node:fs';
import type { RolloutLine } from '@quire/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor, createRollout, forkRollout, openRollout } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { SAMPLE_META, threadId } from './sample.ts';

const ID = threadId('01a1fb9d-feda-7962-89cf-93dc3792b5aa');
const KNOWN = 'correct "horse"\nbattery';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ';

/** What becomes of a secret is the mark of its kind, or what is told here. */
const SECRETS: readonly [kind: string, secret: string, marked?: string][] = [
  ['api-key', `sk-proj-${LETTERS}`],
  ['api-key', `sk-ant-api03-${LETTERS}`],
  ['api-key', `sk_live_${LETTERS}`],
  ['bearer', `bearer ${'0123456789abcdef'.repeat(2)}`, 'bearer [redacted:bearer]'],
  ['github-token', `ghp_${LETTERS.slice(0, 36)}`],
  ['github-token', `gho_${LETTERS.slice(0, 36)}`],
  ['github-token', `github_pat_${LETTERS}`],
  ['aws-key', `AKIA${'ABCDEFGHIJ234567'}`],
  ['aws-secret', `AWS_SECRET_ACCESS_KEY=${LETTERS.slice(0, 40)}`, 'AWS_SECRET_ACCESS_KEY=[redacted:aws-secret]'],
  ['slack-token', `xoxb-${'123456789012'}-abc`],
  ['google-key', `AIza${LETTERS.slice(0, 35)}`],
  ['jwt', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${LETTERS}`],
  ['private-key', `-----BEGIN RSA PRIVATE KEY-----\nMIIE${LETTERS}\nabc\n-----END RSA PRIVATE KEY-----`],
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
      'grep -- "-----BEGIN RSA PRIVATE KEY-----" and -----BEGIN PRIVATE KEY-----\n... -----END PRIVATE KEY-----',
      `postgres://user:\${DB_PASSWORD}@host, postgres://user:$DB_PASSWORD@host, redis://x:{{ secret }}@h`,
      `https://x-access-token:\${TOKEN}@github.com, https://ann:<password>@host, https://ann:$(cat token)@host`,
      'http://localhost:8080,foo@example.com http://[::1]:80@x http://localhost:80@x',
      'proxy://host:3128?user=bob@corp',
      'bearer authentication-scheme-rfc6750-section',
      'sk-cube-grid-animation-delay-1 /po/sk-translations-2024-final.po',
    ].join('\n');
    const json = JSON.stringify({ text });
    expect(redactor.redactJson({ text }, json)).toBe(json);
  });

  test('encrypted content, images and ids are not looked into [STORE-81]', () => {
    const key = `sk-${LETTERS}`;
    const value = {
      id: key,
      call_id: key,
      encrypted_content: key,
      image_url: 'data:image/png;base64,AKIAABCDEFGHIJ234567',
    };
    expect(redactor.redactJson(value, JSON.stringify(value))).toBe(JSON.stringify(value));
  });
});

test('text that only begins like an image is looked into [STORE-81]', () => {
  const redactor = createRedactor();
  const value = { text: `data:, the key is sk-proj-${LETTERS}`, url: `data:text/plain;base64,AA== sk-proj-${LETTERS}` };
  expect(JSON.parse(redactor.redactJson(value, JSON.stringify(value)))).toEqual({
    text: 'data:, the key is [redacted:api-key]',
    url: 'data:text/plain;base64,AA== [redacted:api-key]',
  });
});

describe('JSON in a text', () => {
  const KEY = `-----BEGIN OPENSSH PRIVATE KEY-----\n${LETTERS}${LETTERS}\n${LETTERS}${LETTERS}\nabcd==`;
  const END = '-----END OPENSSH PRIVATE KEY-----';
  const RSA_HEADERS = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n';

  test.each<[string, string, string]>([
    ['whole', `${KEY}\n${END}\nnext`, '[redacted:private-key]\nnext'],
    ['cut', `${KEY}`, '[redacted:private-key]'],
    ['cut before other text', `${KEY}… "next"`, '[redacted:private-key]… "next"'],
    [
      'encrypted',
      `-----BEGIN RSA PRIVATE KEY-----\n${RSA_HEADERS}${LETTERS}\n-----END RSA PRIVATE KEY-----`,
      '[redacted:private-key]',
    ],
    ['listed with line numbers', `${KEY}\n${END}`.replaceAll('\n', '\n   12\t'), '[redacted:private-key]'],
    [
      'only mentioned',
      'sed -n "/-----BEGIN RSA PRIVATE KEY-----/p" | wc',
      'sed -n "/-----BEGIN RSA PRIVATE KEY-----/p" | wc',
    ],
  ])('a key that is %s leaves what is around it [STORE-85]', (_title, text, expected) => {
    const redactor = createRedactor();
    expect(redactor.redactText(text)).toBe(expected);
    const call = (command: string) => JSON.stringify({ command, cwd: '/repo' });
    expect(JSON.parse(redactor.redactText(call(text)))).toEqual({ command: expected, cwd: '/repo' });
    const nested = JSON.parse(redactor.redactText(JSON.stringify({ inner: call(text) }))) as { inner: string };
    expect(JSON.parse(nested.inner)).toEqual({ command: expected, cwd: '/repo' });
  });

  test('stays JSON, whatever stands in it, and holds no secret [STORE-85]', () => {
    const known = ['nabcdefgh1', '12345678', 'a","b":"c', KNOWN];
    const redactor = createRedactor(known);
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom(
        ...SECRETS.map(([, secret]) => secret),
        ...known,
        '-----BEGIN RSA PRIVATE KEY-----',
        `-----BEGIN PRIVATE KEY-----\n${LETTERS}`,
        'secret_access_key: ',
        LETTERS.slice(0, 40),
        '\\',
        '"',
        '\n',
        'https://a:',
        '@h',
        'Bearer ',
      ),
    );
    const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    const inner = fc.oneof(
      text,
      fc.dictionary(text, text, { maxKeys: 3 }).map((value) => JSON.stringify(value)),
    );
    const value = fc.oneof(
      fc.dictionary(text, fc.oneof(inner, fc.constant(12345678)), { maxKeys: 3 }),
      fc.array(inner),
    );
    fc.assert(
      fc.property(value, (before) => {
        const json = redactor.redactText(JSON.stringify(before));
        expect(() => JSON.parse(json)).not.toThrow();
        expect(json).not.toContain(`BEGIN PRIVATE KEY-----\\n${LETTERS}`);
        const line = redactor.redactJson(
          { arguments: JSON.stringify(before) },
          JSON.stringify({ arguments: JSON.stringify(before) }),
        );
        expect(() => JSON.parse((JSON.parse(line) as { arguments: string }).arguments)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  test('a secret right behind an escaped line feed is found [STORE-85]', () => {
    const text = JSON.stringify({ command: `export\nsk-proj-${LETTERS}\nghp_${LETTERS.slice(0, 36)}` });
    expect(createRedactor().redactText(text)).toBe(
      JSON.stringify({ command: 'export\n[redacted:api-key]\n[redacted:github-token]' }),
    );
  });
});

test('where a thread is and with what it runs stays, also when it holds a known value [STORE-86]', async () => {
  using home = temporaryFolder();
  const cwd = `/home/ann/horse-battery-staple`;
  const options = { now: () => 0, secrets: ['horse-battery-staple'] };
  const meta = {
    ...SAMPLE_META,
    cwd,
    model_provider: 'horse-battery-staple',
    base_instructions: { text: 'horse-battery-staple' },
    git: {
      branch: 'horse-battery-staple',
      repository_url: 'https://ann:horse-battery-staple@host/horse-battery-staple.git',
    },
  };
  const rollout = await createRollout({ ...options, home: home.path, threadId: ID, meta });
  const context = {
    cwd,
    approval_policy: 'never',
    sandbox_policy: { type: 'workspace-write', writable_roots: [cwd] },
    model: 'horse-battery-staple',
    summary: 'auto',
  };
  rollout.append([{ type: 'turn_context', payload: { ...context, user_instructions: 'say horse-battery-staple' } }]);
  rollout.close();
  const forked = await forkRollout({
    ...options,
    home: home.path,
    source: rollout.path,
    threadId: threadId('01a1fb9d-feda-7962-89cf-93dc3792b5ab'),
    meta,
    signal: new AbortController().signal,
  });
  forked.close();

  const expected = [
    {
      ...meta,
      base_instructions: { text: '[redacted:known-value]' },
      git: { ...meta.git, repository_url: 'https://ann:[redacted:known-value]@host/horse-battery-staple.git' },
    },
    { ...context, user_instructions: 'say [redacted:known-value]' },
  ];
  for (const file of [rollout.path, forked.path]) {
    const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { payload: unknown }).payload)).toMatchObject(expected);
  }
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
