import type { QuireOptions, Submission } from '@quire/agent';
import {
  type CollectorOptions,
  OtlpCollector,
  type ReceivedSpan,
  Simulator,
  type SimulatorOptions,
} from '@quire/simulator';
import { createWorkspace, type Workspace } from '../workspace.ts';

export interface SceneOptions {
  readonly steps?: NonNullable<SimulatorOptions['steps']>;
  /** Instead of steps. */
  readonly simulator?: SimulatorOptions;
  readonly collector?: CollectorOptions;
  /** Behind the ones of the scene. */
  readonly overrides?: readonly string[];
  readonly quire?: QuireOptions;
  /** Of the provider, as TOML. */
  readonly provider?: string;
}

/** A provider, a collector and a program that exports everything to it. */
export class Scene implements AsyncDisposable {
  readonly workspace: Workspace;
  readonly simulator: Simulator;
  readonly collector: OtlpCollector;
  readonly problems: string[] = [];
  /** Added to the one of the program. */
  environment: Readonly<Record<string, string>> = {};
  readonly #options: SceneOptions;

  private constructor(parts: Pick<Scene, 'workspace' | 'simulator' | 'collector'>, options: SceneOptions) {
    this.workspace = parts.workspace;
    this.simulator = parts.simulator;
    this.collector = parts.collector;
    this.#options = options;
  }

  static async set(options: SceneOptions): Promise<Scene> {
    const [workspace, simulator, collector] = await Promise.all([
      createWorkspace(),
      Simulator.start(options.simulator ?? { steps: options.steps ?? [] }),
      OtlpCollector.start(options.collector),
    ]);
    return new Scene({ workspace, simulator, collector }, options);
  }

  get configOverrides(): readonly string[] {
    const { provider = '', overrides = [] } = this.#options;
    return [
      `model_providers.test={name="Test",base_url="${this.simulator.url}"${provider}}`,
      'model_provider=test',
      'model=gpt-5.2-codex',
      ...overrides,
    ];
  }

  /** One thread from its start to its end. With `until` not before a span of that name has arrived. */
  async run(
    prompts: readonly Submission[],
    exporters = exportAll(this.collector),
    { until }: { readonly until?: string } = {},
  ): Promise<void> {
    const quire = this.workspace.quire(this.simulator, {
      onTelemetryProblem: (message) => this.problems.push(message),
      ...this.#options.quire,
      environment: {
        PATH: process.env['PATH'],
        HOME: this.workspace.home,
        ...this.#options.quire?.environment,
        ...this.environment,
      },
      configOverrides: [...this.configOverrides, ...exporters],
    });
    const { repository } = this.workspace;
    await using thread = await quire.startThread({
      workingDirectory: repository,
      sandboxMode: 'danger-full-access',
    });
    for (const prompt of prompts) await thread.run(prompt);
    if (until !== undefined) await this.collector.until(() => this.collector.spans.find(({ name }) => name === until));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.collector[Symbol.asyncDispose](), this.workspace[Symbol.asyncDispose]()]);
    await this.simulator[Symbol.asyncDispose]();
  }
}

/** Settings that send everything to one collector. */
export function exportAll(
  { url }: Pick<OtlpCollector, 'url'>,
  exporter: { readonly kind?: 'otlp-http' | 'otlp-grpc'; readonly more?: string } = {},
): readonly string[] {
  const { kind = 'otlp-http', more = ',protocol="json"' } = exporter;
  return ['exporter', 'trace_exporter', 'metrics_exporter'].map(
    (key) => `otel.${key}={${kind}={endpoint="${url}"${more}}}`,
  );
}

/** The names, each below its parent. */
export function treeOf(spans: readonly ReceivedSpan[], parent?: string, depth = 0): readonly string[] {
  return spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .sort((left, right) => left.startedAtMs - right.startedAtMs)
    .flatMap(({ name, spanId }) => [`${'  '.repeat(depth)}${name}`, ...treeOf(spans, spanId, depth + 1)]);
}
