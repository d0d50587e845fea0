import type { TelemetryAttributes } from '@quire/core';

/** Upper bounds of the classes of a duration. Milliseconds. Source: the peer, so that both fall into the same classes. */
const DURATION_BOUNDS_MS = [
  0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 1_250, 1_500, 1_750, 2_000, 2_250, 2_500, 3_000, 3_500, 4_000, 4_500,
  5_000, 6_000, 7_000, 7_500, 8_000, 9_000, 10_000, 12_000, 15_000, 20_000, 30_000, 60_000, 120_000,
];

/** Of an amount. Source: the default of OpenTelemetry, which the peer uses for it. */
const AMOUNT_BOUNDS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000];

/** `ms`: durations. `''`: amounts, such as tokens. */
export type DistributionUnit = 'ms' | '';

const BOUNDS: Readonly<Record<DistributionUnit, readonly number[]>> = { ms: DURATION_BOUNDS_MS, '': AMOUNT_BOUNDS };

/** Series of one table; a further one is counted and not kept. */
const MAX_SERIES = 2_000;

export interface Distribution {
  readonly unit: DistributionUnit;
  /** Upper bounds of all buckets but the last. */
  readonly bounds: readonly number[];
  count: number;
  sum: number;
  min: number;
  max: number;
  /** One more than there are bounds. */
  readonly buckets: number[];
}

export interface Series<Value> {
  readonly attributes: TelemetryAttributes;
  readonly value: Value;
}

export interface MetricReading {
  /** Unix milliseconds: what is told covers this span of time. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly sums: ReadonlyMap<string, readonly Series<number>[]>;
  readonly distributions: ReadonlyMap<string, readonly Series<Distribution>[]>;
}

type Entry =
  | { readonly kind: 'sum'; readonly name: string; readonly attributes: TelemetryAttributes; value: number }
  | {
      readonly kind: 'distribution';
      readonly name: string;
      readonly attributes: TelemetryAttributes;
      readonly value: Distribution;
    };

/** Counters and distributions since the last reading, or since the beginning. */
export class MetricTable {
  readonly #now: () => number;
  readonly #isCumulative: boolean;
  /** Entries of attributes that are the very same object each time, by metric: events of a stream come by the hundred thousand. */
  #known = new Map<string, WeakMap<TelemetryAttributes, Entry>>();
  #entries = new Map<string, Entry>();
  #fromMs: number;
  #overflow = 0;
  #hasNews = false;

  constructor(options: { readonly now: () => number; readonly isCumulative: boolean }) {
    this.#now = options.now;
    this.#isCumulative = options.isCumulative;
    this.#fromMs = options.now();
  }

  count(name: string, attributes: TelemetryAttributes, by = 1): void {
    const entry = this.#entry(name, attributes, () => ({ kind: 'sum', name, attributes, value: 0 }));
    if (entry?.kind === 'sum') entry.value += by;
  }

  /** One value of a distribution, or the same one several times. */
  record(name: string, amount: number, attributes: TelemetryAttributes, unit: DistributionUnit, times = 1): void {
    const entry = this.#entry(name, attributes, () => ({
      kind: 'distribution',
      name,
      attributes,
      value: emptyDistribution(unit),
    }));
    if (entry?.kind !== 'distribution' || !Number.isFinite(amount)) return;
    const { value } = entry;
    const { bounds } = value;
    const bucket = bounds.findIndex((bound) => amount <= bound);
    const index = bucket === -1 ? bounds.length : bucket;
    value.count += times;
    value.sum += amount * times;
    value.min = Math.min(value.min, amount);
    value.max = Math.max(value.max, amount);
    value.buckets[index] = (value.buckets[index] ?? 0) + times;
  }

  /** What is new, taken out unless everything is told each time. `undefined`: nothing. */
  read(): MetricReading | undefined {
    if (!this.#hasNews) return undefined;
    this.#hasNews = false;
    const toMs = this.#now();
    const sums = new Map<string, Series<number>[]>();
    const distributions = new Map<string, Series<Distribution>[]>();
    for (const entry of this.#entries.values()) {
      const { name, attributes } = entry;
      if (entry.kind === 'sum') add(sums, name, { attributes, value: entry.value });
      else add(distributions, name, { attributes, value: { ...entry.value, buckets: [...entry.value.buckets] } });
    }
    const reading = { fromMs: this.#fromMs, toMs, sums, distributions };
    if (!this.#isCumulative) {
      this.#entries = new Map();
      this.#known = new Map();
      this.#fromMs = toMs;
    }
    return reading;
  }

  /** Values that had no place since the last call. */
  takeOverflow(): number {
    const overflow = this.#overflow;
    this.#overflow = 0;
    return overflow;
  }

  #entry(name: string, attributes: TelemetryAttributes, create: () => Entry): Entry | undefined {
    this.#hasNews = true;
    let byAttributes = this.#known.get(name);
    if (byAttributes === undefined) {
      byAttributes = new WeakMap();
      this.#known.set(name, byAttributes);
    }
    const known = byAttributes.get(attributes);
    if (known !== undefined) return known;
    const entry = this.#findEntry(name, attributes, create);
    if (entry !== undefined) byAttributes.set(attributes, entry);
    return entry;
  }

  #findEntry(name: string, attributes: TelemetryAttributes, create: () => Entry): Entry | undefined {
    const key = `${name} ${JSON.stringify(attributes)}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (this.#entries.size >= MAX_SERIES) {
        this.#overflow += 1;
        return undefined;
      }
      entry = create();
      this.#entries.set(key, entry);
    }
    return entry;
  }
}

function emptyDistribution(unit: DistributionUnit): Distribution {
  const bounds = BOUNDS[unit];
  const buckets = Array.from({ length: bounds.length + 1 }, () => 0);
  return { unit, bounds, count: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, buckets };
}

function add<Value>(map: Map<string, Series<Value>[]>, name: string, series: Series<Value>): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [series]);
  else list.push(series);
}
