import type { StdinKind, StdinOutcome, StdinSource } from '../../src/process/stdin-source.ts';
import type { TextSink } from '../../src/process/text-sink.ts';

export class MemorySink implements TextSink {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  text = '';

  constructor(options: { readonly isTerminal: boolean; readonly columns?: number } = { isTerminal: false }) {
    this.isTerminal = options.isTerminal;
    this.columns = options.columns;
  }

  write(text: string): void {
    this.text += text;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}

export function memoryStdin(options: { readonly kind: StdinKind; readonly outcome?: StdinOutcome }): StdinSource {
  return {
    kind: () => options.kind,
    read: () => Promise.resolve(options.outcome ?? { kind: 'read', bytes: new Uint8Array() }),
  };
}
