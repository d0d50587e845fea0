import type { ThreadId } from '@quire/protocol';
import type { Config } from '@quire/store';
import type { Environment } from './environment.ts';
import type { Recorder, ThreadRecording } from './thread-recording.ts';

/** Whose records they are. */
export interface RecordingOrder {
  readonly threadId: ThreadId;
  /** When the opening of the thread began. Unix milliseconds. */
  readonly startedAtMs: number;
  readonly config: Config;
  /** Values that must not be sent. */
  readonly secrets: readonly string[];
  /** What made the thread, for records. */
  readonly source: string;
}

/** Whether anything is to be exported. */
export function isExported({ telemetry }: Pick<Config, 'telemetry'>): boolean {
  return [telemetry.traces, telemetry.logs, telemetry.metrics].some(({ kind }) => kind !== 'none');
}

/** What the threads of one program tell. What records and exports is loaded with the first thread that asks for it. */
export class TelemetryOfProgram {
  readonly #environment: Environment;
  readonly #originator: string;
  readonly #onProblem: ((message: string) => void) | undefined;
  #recorder: Promise<Recorder> | undefined;

  /** @param options `onProblem` is told once when records are lost. Absent: the thread that is open is. */
  constructor(options: {
    readonly environment: Environment;
    readonly originator: string;
    readonly onProblem: ((message: string) => void) | undefined;
  }) {
    this.#environment = options.environment;
    this.#originator = options.originator;
    this.#onProblem = options.onProblem;
  }

  /** `undefined`: nothing is exported, so nothing is recorded. */
  async begin(order: RecordingOrder): Promise<ThreadRecording | undefined> {
    if (!isExported(order.config)) return undefined;
    this.#recorder ??= import('./thread-recording.ts').then(
      ({ Recorder }) => new Recorder(this.#environment, this.#originator, this.#onProblem),
    );
    return (await this.#recorder).begin(order);
  }
}
