// The part of the web platform that every JavaScript runtime has and that this package uses. It stands
// here, and not in an ambient types package, so that anything else (process, Buffer) stays a type error.

interface TextDecoder {
  decode(bytes: Uint8Array): string;
}
declare var TextDecoder: {
  new (label: 'utf-8', options: { readonly ignoreBOM: boolean }): TextDecoder;
};

interface AbortSignal {
  readonly aborted: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the platform's own type
  readonly reason: any;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
