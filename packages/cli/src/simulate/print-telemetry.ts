import type { OtlpCollector, ReceivedExport } from '@quire/simulator';
import { safeLine } from '../exec/safe-text.ts';

/** How long the next export is awaited, in milliseconds: as long as a timer can. */
const ANY_TIME_MS = 2_147_483_647;
const SHOWN_NAMES = 12;

/** The settings that send everything to the collector. */
export function collectorSettings({ url }: Pick<OtlpCollector, 'url'>): readonly string[] {
  return ['exporter', 'trace_exporter', 'metrics_exporter'].map(
    (key) => `-c 'otel.${key}={otlp-http={endpoint="${url}"}}'`,
  );
}

/** One line for every export as it arrives, and one for everything that is wrong with it. Until the signal fires. */
export async function printTelemetry(collector: OtlpCollector, signal: AbortSignal): Promise<void> {
  const options = { signal, timeoutMs: ANY_TIME_MS };
  let shownViolations = 0;
  try {
    for (let index = 0; ; index += 1) {
      const received = await collector.until(({ exports }) => exports[index], options);
      process.stdout.write(`${describeExport(received)}\n`);
      for (const violation of collector.violations.slice(shownViolations)) {
        process.stdout.write(`   broken rule: ${safeLine(violation)}\n`);
      }
      shownViolations = collector.violations.length;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function describeExport({ signal, records }: ReceivedExport): string {
  const counts = new Map<string, number>();
  for (const { name } of [...records.spans, ...records.logs, ...records.metrics]) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const names = [...counts].map(([name, count]) => (count === 1 ? safeLine(name) : `${safeLine(name)} ×${count}`));
  const rest = names.length > SHOWN_NAMES ? `, and ${names.length - SHOWN_NAMES} more` : '';
  return `${signal}: ${names.slice(0, SHOWN_NAMES).join(', ')}${rest}`;
}
