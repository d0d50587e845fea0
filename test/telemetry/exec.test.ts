import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Quire } from '@quire/agent';
import { functionCall, OtlpCollector, respond, Simulator, text } from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandRun, runCommand } from '../support/command-run.ts';
import { type InstalledCommand, installCommand } from '../support/installed-command.ts';
import { createWorkspace, type Workspace } from '../support/workspace.ts';

let command: InstalledCommand;
beforeAll(async () => {
  command = await installCommand();
});
afterAll(() => command[Symbol.asyncDispose]());

const FREE = ['--skip-git-repo-check', '-s', 'danger-full-access'] as const;
const STEPS = () => [
  respond(functionCall('call-1', 'shell_command', { command: 'echo hello' })),
  respond(text('Done.')),
];

function exporters(url: string): readonly string[] {
  return ['exporter', 'trace_exporter', 'metrics_exporter'].map(
    (key) => `otel.${key}={otlp-http={endpoint="${url}",protocol="json"}}`,
  );
}

/** What does not differ between two runs of the same turn. */
function digest({ spans, logs, metrics }: OtlpCollector): unknown {
  const nameOf = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  const keys = (attributes: object): string => Object.keys(attributes).sort().join(' ');
  const own = ({ 'app.version': _version, originator: _originator, ...rest }: Readonly<Record<string, unknown>>) =>
    rest;
  return {
    spans: spans
      .map((span) => `${nameOf.get(span.parentSpanId ?? '')} > ${span.name} (${keys(span.attributes)}) ${span.error}`)
      .sort(),
    logs: logs.map((log) => `${nameOf.get(log.spanId ?? '')} ${log.name} (${keys(log.attributes)})`).sort(),
    metrics: metrics
      .map(({ name, kind, count, attributes }) => `${name} ${kind} ${count} ${JSON.stringify(own(attributes))}`)
      .sort(),
  };
}

describe('the command with an exporter', () => {
  test('exports exactly what a program with the same turn does [TEL-50]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [...STEPS(), ...STEPS()] });
    await using ofCommand = await OtlpCollector.start();
    await using ofProgram = await OtlpCollector.start();
    const overrides = (collector: OtlpCollector): readonly string[] => [
      'model=gpt-5.2-codex',
      ...exporters(collector.url),
    ];

    const argv = [...overrides(ofCommand).flatMap((setting) => ['-c', setting]), ...FREE, 'say hello'];
    const { code, stderr } = await runCommand({ command, workspace, url: simulator.url, argv });
    expect({ code, told: stderr.includes('Telemetry') }).toEqual({ code: 0, told: false });

    const quire = new Quire({
      home: workspace.home,
      environment: { PATH: process.env['PATH'], SHELL: '/bin/sh' },
      configOverrides: [
        `model_providers.mock={name="mock",base_url="${simulator.url}"}`,
        'model_provider=mock',
        ...overrides(ofProgram),
      ],
    });
    const thread = await quire.startThread({
      workingDirectory: workspace.project,
      skipGitRepoCheck: true,
      sandboxMode: 'danger-full-access',
    });
    await thread.run('say hello');
    await thread.close();

    expect([...ofCommand.violations, ...ofProgram.violations]).toEqual([]);
    expect(ofCommand.metrics.length).toBeGreaterThan(5);
    expect(digest(ofCommand)).toEqual(digest(ofProgram));
  });

  test('ends with its own exit code and one line when the collector hangs, two seconds later at most [TEL-51]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [respond(text('Done.'))] });
    await using collector = await OtlpCollector.start();
    collector.answerAlways({ kind: 'hang' });
    const argv = [...exporters(collector.url).flatMap((setting) => ['-c', setting]), ...FREE, '--json', 'hi'];
    const { code, stdout, stderr, lingeredMs } = await runCommand({ command, workspace, url: simulator.url, argv });
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').at(-1)).toContain('turn.completed');
    expect(stderr.split('\n').filter((line) => line.includes('Telemetry'))).toHaveLength(1);
    expect(lingeredMs).toBeLessThan(3_000);
  });

  test('ends as it would without when a pipe stands in the place of a certificate, and tells so [TEL-51] [TRUST-18]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [respond(text('Done.'))] });
    const pipe = join(workspace.root, 'ca.pem');
    execFileSync('mkfifo', [pipe]);
    const exporter = `otel.exporter={otlp-http={endpoint="https://127.0.0.1:1",tls={ca-certificate="${pipe}"}}}`;
    const argv = ['-c', exporter, ...FREE, '--json', 'hi'];
    const { code, signal, stderr } = await runCommand({ command, workspace, url: simulator.url, argv });
    const told = stderr.split('\n').filter((line) => line.includes('Telemetry'));
    expect({ code, signal, told }).toEqual({
      code: 0,
      signal: null,
      told: [expect.stringContaining('ca.pem, selected by ca-certificate, cannot be read (it is not a regular file)')],
    });
  });

  test('that is stopped by a signal ends with the code of the signal, and sends what it can [TEL-52]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({
      steps: [respond(functionCall('call-1', 'shell_command', { command: 'sleep 1000' }))],
    });
    await using collector = await OtlpCollector.start();
    const argv = [...exporters(collector.url).flatMap((setting) => ['-c', setting]), ...FREE, '--json', 'hi'];
    await using run = new CommandRun({ command, workspace, url: simulator.url, argv });
    await run.saw('command_execution');
    run.child.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    const turn = collector.spans.find(({ name }) => name === 'turn.run');
    expect(turn?.attributes).toMatchObject({ 'turn.outcome': 'interrupted' });
    expect(collector.logs.map(({ name }) => name)).toContain('codex.tool_result');
    expect(collector.metrics.find(({ name }) => name === 'quire.turn')?.attributes).toMatchObject({
      outcome: 'interrupted',
    });
  });
});

describe('the command without an exporter', () => {
  test('connects to nobody but the provider, and loads nothing of it [TEL-53]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [respond(text('Done.')), respond(text('Done.'))] });
    await using collector = await OtlpCollector.start();
    const off = await observedRun({ workspace, url: simulator.url, overrides: [] });
    const on = await observedRun({ workspace, url: simulator.url, overrides: exporters(collector.url) });
    const provider = new URL(simulator.url).host;
    expect(off).toEqual({ connections: [provider], modules: [] });
    expect(on).toEqual({
      connections: [provider, new URL(collector.url).host].sort(),
      modules: [expect.stringMatching(/^thread-recording-/)],
    });
    expect(simulator.requests[0]?.headers['traceparent']).toBe(undefined);
  });
});

/** To whom a run connects, and which modules it loads that record. */
async function observedRun(run: {
  readonly workspace: Workspace;
  readonly url: string;
  readonly overrides: readonly string[];
}): Promise<{ readonly connections: readonly string[]; readonly modules: readonly string[] }> {
  const folder = await mkdtemp(join(run.workspace.root, 'observed-'));
  const [hook, log, coverage] = [join(folder, 'hook.mjs'), join(folder, 'connections'), join(folder, 'coverage')];
  await writeFile(
    hook,
    `import { appendFileSync } from 'node:fs';
     import { Socket } from 'node:net';
     const { connect } = Socket.prototype;
     Socket.prototype.connect = function (...given) {
       const [{ host, port }] = Array.isArray(given[0]) ? given[0] : given;
       appendFileSync(${JSON.stringify(log)}, host + ':' + port + '\\n');
       return connect.apply(this, given);
     };`,
  );
  const { code } = await runCommand({
    ...run,
    command,
    argv: [...run.overrides.flatMap((setting) => ['-c', setting]), ...FREE, 'hi'],
    environment: {
      NODE_OPTIONS: `--import ${hook}`,
      NODE_V8_COVERAGE: coverage,
      // Nothing but the configuration switches it on.
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_TRACES_EXPORTER: 'otlp',
    },
  });
  expect(code).toBe(0);
  const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(join(coverage, name), 'utf8')));
  const urls = reports.flatMap((report) => (JSON.parse(report) as { result: { url: string }[] }).result);
  const modules = urls.map(({ url }) => basename(url)).filter((name) => /recording|telemetry/.test(name));
  return { connections: [...new Set((await readFile(log, 'utf8')).trim().split('\n'))].sort(), modules };
}
