import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { functionCall, respond, stall, text } from '@quire/simulator';
import { build } from 'esbuild';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  answersAll,
  createScene,
  FULL_ACCESS,
  kindsOf,
  lastRequest,
  linesOf,
  outlineOf,
  requestAt,
  type Scene,
} from './scene.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

async function threadOf(scene: Scene, ...inputs: readonly string[]): Promise<string> {
  await using thread = await scene.start();
  for (const input of inputs) await thread.run(input);
  return thread.facts.threadId;
}

describe('threads on disk', () => {
  test('are listed with name and beginning, the last begun first, of one directory when asked [CTX-44]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    await scene.write('sub/file.txt', 'x');
    const first = await threadOf(scene, 'the first words', 'more words');
    await using other = await scene.start({ workingDirectory: join(scene.repository, 'sub') });
    await other.run('elsewhere');
    const quire = scene.quire();
    await quire.setThreadName(first, '  My thread  ');

    const all = await quire.listThreads();
    expect(all.map(({ threadId, name, preview, archived }) => ({ threadId, name, preview, archived }))).toEqual([
      { threadId: other.facts.threadId, name: undefined, preview: 'elsewhere', archived: false },
      { threadId: first, name: 'My thread', preview: 'the first words', archived: false },
    ]);
    expect((await quire.listThreads({ workingDirectory: scene.repository })).map(({ threadId }) => threadId)).toEqual([
      first,
    ]);
    expect((await quire.listThreads({ limit: 1 })).length).toBe(1);
  });

  test('are resumed by name, by the beginning of their id and by path; an ambiguous or unknown one is refused [CTX-45]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    const first = await threadOf(scene, 'one');
    const second = await threadOf(scene, 'two');
    await scene.quire().setThreadName(first, 'Mine');
    const beginning = (id: string, other: string): string => {
      let length = 4;
      while (other.startsWith(id.slice(0, length))) length += 1;
      return id.slice(0, length);
    };
    const path = (await scene.quire().listThreads()).find(({ threadId }) => threadId === first)?.rolloutPath ?? '';

    for (const id of ['Mine', path, first, beginning(first, second)]) {
      await using thread = await scene.resume(id);
      expect(thread.facts.threadId).toBe(first);
    }
    await expect(scene.resume(first.slice(0, 4))).rejects.toThrow(/fits 2 threads/);
    await expect(scene.resume('Nobody')).rejects.toMatchObject({ name: 'AgentError' });
    await scene.quire().setThreadName(first, '');
    await expect(scene.resume('Mine')).rejects.toMatchObject({ name: 'AgentError' });
  });

  test('that are put away are not listed and not the last one, can not be gone on with, and come back whole [CTX-46]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    const first = await threadOf(scene, 'one');
    const second = await threadOf(scene, 'two');
    const quire = scene.quire();
    const { path } = await quire.archiveThread(second);

    expect(path).toContain('archived_sessions');
    expect((await quire.listThreads()).map(({ threadId }) => threadId)).toEqual([first]);
    expect((await quire.listThreads({ archived: true })).map(({ threadId, archived }) => [threadId, archived])).toEqual(
      [[second, true]],
    );
    const last = await quire.resumeThread({ kind: 'last' }, { workingDirectory: scene.repository });
    expect(last.facts.threadId).toBe(first);
    await last.close();
    await expect(scene.resume(second)).rejects.toMatchObject({ code: 'archived' });
    await quire.unarchiveThread(second);
    expect((await quire.listThreads()).map(({ threadId }) => threadId).sort()).toEqual([first, second].sort());
    await using back = await scene.resume(second);
    await back.run('three');
    expect(outlineOf(lastRequest(scene)).slice(2)).toEqual(['user: two', 'assistant: Answer 1.', 'user: three']);
  });

  test('fork before the n-th user message, not counting rolled back ones [CTX-47]', async () => {
    await using scene = await createScene({ rules: answersAll(), allowRewrite: () => true });
    const thread = await scene.start();
    await thread.run('one');
    await thread.run('gone');
    await thread.rollBack(/* turns */ 1);
    await thread.run('two');
    await thread.run('three');
    await thread.close();
    const before = await readFile(thread.facts.rolloutPath ?? '', 'utf8');

    const outlines: (readonly string[])[] = [];
    for (const beforeUserMessage of [0, 1, 2, 9]) {
      await using fork = await scene.fork(thread, { beforeUserMessage });
      expect(fork.facts.forkedFrom).toBe(thread.facts.threadId);
      await fork.run('forked');
      outlines.push(
        outlineOf(lastRequest(scene)).filter((line) => !line.includes('<') && !line.startsWith('assistant')),
      );
    }
    expect(outlines).toEqual([
      ['user: forked'],
      ['user: one', 'user: forked'],
      ['user: one', 'user: two', 'user: forked'],
      ['user: one', 'user: two', 'user: three', 'user: forked'],
    ]);
    expect(await readFile(thread.facts.rolloutPath ?? '', 'utf8')).toBe(before);
    await expect(scene.fork(thread, { beforeUserMessage: -1 })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  test('fork before a user message on either side of a compaction and of a shell command [CTX-47]', async () => {
    await using scene = await createScene({ rules: answersAll(), expectLocalCompactions: true });
    const thread = await scene.start();
    await thread.run('one');
    await thread.runShell('echo hi');
    await thread.run('two');
    await thread.compact();
    await thread.run('three');
    await thread.close();

    const outlines: (readonly string[])[] = [];
    for (const beforeUserMessage of [1, 2]) {
      await using fork = await scene.fork(thread, { beforeUserMessage });
      await fork.run('forked');
      outlines.push(outlineOf(lastRequest(scene)).filter((line) => /^user: \w/.test(line)));
    }
    expect(outlines).toEqual([
      ['user: one', 'user: forked'],
      ['user: one', 'user: two', 'user: This thread was compacted: its earlier p…', 'user: forked'],
    ]);
  });

  test('fork while a turn runs, and the model of the fork is told that the turn was cut [CTX-48]', async () => {
    await using scene = await createScene({
      steps: [
        respond(functionCall('call-1', 'shell_command', { command: 'echo hi' })),
        stall({ afterEvents: 3 }, respond(text('Never.'))),
      ],
      rules: answersAll(),
    });
    const thread = await scene.start(FULL_ACCESS);
    const stop = new AbortController();
    const running = thread.run('one', { signal: stop.signal }).catch(() => undefined);
    await scene.simulator.request(/* index */ 1, { signal: AbortSignal.timeout(20_000) });
    await using fork = await scene.fork(thread, FULL_ACCESS);
    await fork.run('two');

    expect(outlineOf(lastRequest(scene)).slice(2)).toEqual([
      'user: one',
      'function_call call-1',
      'function_call_output call-1',
      'user: <turn_aborted>',
      'user: two',
    ]);
    stop.abort(new Error('enough'));
    await running;
    await thread.close();
    expect(kindsOf(await linesOf(thread)).at(-1)).toBe('turn_aborted');
  });

  test('are open for writing in one process at a time, and the other one is told which [CTX-49]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    const id = await threadOf(scene, 'one');
    const program = `
      import { Quire } from '@quire/agent';
      const quire = new Quire({ home: ${JSON.stringify(scene.home)}, environment: { PATH: process.env.PATH, HOME: ${JSON.stringify(scene.home)} },
        configOverrides: ${JSON.stringify([`model_providers.test={name="Test",base_url="${scene.simulator.url}"}`, 'model_provider=test', 'model=gpt-5.2-codex'])} });
      await quire.resumeThread({ kind: 'id', id: ${JSON.stringify(id)} }, { workingDirectory: ${JSON.stringify(scene.repository)} });
      console.log('open');
      setInterval(() => undefined, 1000);
    `;
    const path = join(scene.home, '..', 'program.mjs');
    await build({
      stdin: { contents: program, resolveDir: import.meta.dirname },
      outfile: path,
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['sharp', '@silvia-odwyer/photon-node', '@lydell/node-pty', '@napi-rs/keyring'],
      target: 'node20',
      conditions: ['quire-source'],
      logLevel: 'error',
      banner: {
        js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
      },
    });
    const holder = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(holder, 'exit');
    try {
      await Promise.race([
        once(holder.stdout, 'data', { signal: AbortSignal.timeout(20_000) }),
        gone.then(() => Promise.reject(new Error('the other process ended'))),
      ]);
      await expect(scene.resume(id)).rejects.toThrow(String(holder.pid));
      await using fork = await scene.fork(id);
      expect((await fork.run('two')).finalResponse).toMatch(/^Answer/);
    } finally {
      holder.kill('SIGKILL');
      await gone;
    }
    await using thread = await scene.resume(id);
    expect((await thread.run('three')).finalResponse).toMatch(/^Answer/);
  });

  test('in a home that can only be read are listed, and opening one is refused as a whole [CTX-50]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    const id = await threadOf(scene, 'one');
    const names = async (): Promise<readonly string[]> => readdir(scene.home, { recursive: true });
    const before = await names();
    const refused = (): never => {
      throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
    };
    // The user of these tests may be root, for whom permissions are nothing.
    const open = fs.openSync;
    vi.spyOn(fs, 'openSync').mockImplementation((name, flags, mode) =>
      flags === 'r' ? open(name, flags, mode) : refused(),
    );
    vi.spyOn(fs, 'mkdirSync').mockImplementation(refused);
    vi.spyOn(fs, 'writeFileSync').mockImplementation(refused);
    vi.spyOn(fs, 'linkSync').mockImplementation(refused);

    expect((await scene.quire().listThreads()).map(({ threadId }) => threadId)).toEqual([id]);
    await expect(scene.resume(id)).rejects.toMatchObject({
      name: 'AgentError',
      message: expect.stringContaining('can not be written'),
    });
    await expect(scene.start()).rejects.toMatchObject({
      name: 'AgentError',
      message: expect.stringContaining('can not be written'),
    });
    await expect(scene.fork(id)).rejects.toMatchObject({
      name: 'AgentError',
      message: expect.stringContaining('can not be written'),
    });
    vi.restoreAllMocks();
    expect(await names()).toEqual(before);
    await using thread = await scene.resume(id);
    expect((await thread.run('two')).finalResponse).toBe('Answer 1.');
  });

  test('on a disk that fills up in a turn: one warning, the turn goes on, and what is on disk can be resumed [CTX-51]', async () => {
    // What was not written is missing after the resume.
    await using scene = await createScene({ rules: answersAll(), allowRewrite: ({ index }) => index === 2 });
    const thread = await scene.start();
    await thread.run('one');
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const spy = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw full;
    });
    const warnings: string[] = [];
    await thread.runPushed('two', {
      onEvent: (event) => {
        if (event.kind === 'warning') warnings.push(event.message);
      },
    });
    expect(spy).toHaveBeenCalled();
    spy.mockRestore();
    await thread.run('three');
    await thread.close();
    await using again = await scene.resume(thread);
    await again.run('four');

    expect(warnings.filter((warning) => warning.includes('can not be written')).length).toBe(1);
    expect(outlineOf(requestAt(scene, /* index */ 2)).slice(-3)).toEqual([
      'user: two',
      'assistant: Answer 1.',
      'user: three',
    ]);
    expect(outlineOf(requestAt(scene, /* index */ 3)).slice(2)).toEqual([
      'user: one',
      'assistant: Answer 0.',
      'user: three',
      'assistant: Answer 2.',
      'user: four',
    ]);
  });

  test('leave no drafts, locks or temporary files behind [CTX-52]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    const id = await threadOf(scene, 'one');
    const fork = await scene.fork(id);
    await fork.close();
    await scene.quire().archiveThread(id);

    const names = (await readdir(scene.home, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
    expect(names.filter((name) => !/^rollout-[\dT-]+-[0-9a-f-]{36}\.jsonl$/.test(name))).toEqual([]);
    expect(names.length).toBe(2);
  });
});
