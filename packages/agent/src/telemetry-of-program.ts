import type { LoginLog } from '@quire/auth';
import type { CatalogTiming } from '@quire/core';
import type { Config } from '@quire/store';
import type { Environment } from './environment.ts';
import type { Recorder, RecordingOrder, ThreadRecording } from './thread-recording.ts';

/** Whether anything is to be exported. */
function isExported({ telemetry }: Pick<Config, 'telemetry'>): boolean {
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
    if (!isExported(order.config) || this.#environment['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') {
      return undefined;
    }
    this.#recorder ??= import('./thread-recording.ts').then(
      ({ Recorder }) => new Recorder(this.#environment, this.#originator, this.#onProblem),
    );
    return (await this.#recorder).begin(order);
  }

  /** The catalog, too. */
  noteCatalog(timing: CatalogTiming): void {
    this.#tell((recorder) => recorder.noteCatalog(timing));
  }

  /** The login belongs to all threads; it is told with the one that was opened last. */
  noteLogin(record: LoginLog): void {
    this.#tell((recorder) => recorder.noteLogin(record));
  }

  #tell(tell: (recorder: Recorder) => void): void {
    this.#recorder?.then(tell, () => undefined); // What could not be loaded failed the opening, which reports it.
  }
}
