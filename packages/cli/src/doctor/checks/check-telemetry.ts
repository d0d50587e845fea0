import { probeWay } from '@quire/network';
import type { Config } from '@quire/store';
import { type CheckResult, type Finding, resultOf, skipped } from '../check.ts';
import type { Scene } from '../scene.ts';

const CHECK = 'telemetry';
const SIGNALS = ['traces', 'metrics', 'logs'] as const;
/** For the connection to a collector. Milliseconds. */
const TIMEOUT_MS = 3_000;

type Exporter = Exclude<Config['telemetry']['logs'], { readonly kind: 'none' }>;

/** Where telemetry goes, and whether that can be connected to. Nothing is sent. */
export async function checkTelemetry(scene: Scene): Promise<CheckResult> {
  const { config } = await scene.config();
  if (config === undefined) return skipped(CHECK, 'the configuration can not be used');
  const exported = SIGNALS.flatMap((signal) => {
    const exporter = config.telemetry[signal];
    return exporter.kind === 'none' ? [] : [{ signal, exporter, origin: new URL(exporter.endpoint).origin }];
  });
  if (exported.length === 0) return skipped(CHECK, 'nothing is exported');
  if (scene.environment['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') {
    return skipped(CHECK, 'OTEL_SDK_DISABLED switches it off');
  }
  const details = exported.map(({ signal, exporter, origin }) => `${signal}: ${exporter.kind} to ${origin}`);
  const byOrigin = new Map(exported.map(({ origin, exporter }) => [origin, exporter]));
  const origins = [...byOrigin.keys()].join(', ');
  if (scene.choices.offline) {
    return resultOf(CHECK, {
      summary: `exported to ${origins}, which was not tried (--offline)`,
      details,
      findings: [],
    });
  }
  const findings = await Promise.all([...byOrigin].map(([origin, exporter]) => findingOf(origin, exporter, scene)));
  return resultOf(CHECK, {
    summary: `exported to ${origins}`,
    details,
    findings: findings.filter((finding) => finding !== undefined),
  });
}

/** A warning at most: a run goes on without its telemetry. */
async function findingOf(origin: string, { tls }: Exporter, scene: Scene): Promise<Finding | undefined> {
  const { environment, signal } = scene;
  const { stages, problem } = await probeWay(new URL(origin), { environment, signal, timeoutMs: TIMEOUT_MS });
  const failed = stages.find(({ outcome }) => outcome === 'failed');
  const error = problem ?? (failed?.outcome === 'failed' ? failed.error : undefined);
  if (error === undefined) return undefined;
  const ownsTls = tls.caCertificate !== undefined || tls.clientCertificate !== undefined;
  // The files of the exporter belong to the connection that exports, and are not tried here.
  if (failed?.name === 'tls' && ownsTls) return undefined;
  return {
    verdict: 'warning',
    text: `telemetry can not be sent to ${origin}: ${error.message}`,
    remedy: 'check the otel settings and that the collector runs; see docs/telemetry.md',
  };
}
