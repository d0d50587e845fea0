import type { IncomingMessage } from 'node:http';

/** How long a finished response may take to end properly, so that its socket can be used again. */
const RELEASE_TIMEOUT_MS = 500;
const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** A failed response says little; a server that is slow to say it is not waited for. */
const ERROR_BODY_TIMEOUT_MS = 10_000;

function ignoreError(): void {
  // The response is no longer read: what happens to its socket concerns nobody.
}

/**
 * Lets go of a response whose rest is of no interest. Its socket goes back to the pool if the body ends
 * soon and is destroyed otherwise. Returns at once and does not keep the process alive.
 */
export function releaseBody(body: IncomingMessage): void {
  body.on('error', ignoreError);
  if (body.destroyed || body.readableEnded) return;
  const timer = setTimeout(() => body.destroy(), RELEASE_TIMEOUT_MS);
  timer.unref();
  body.once('close', () => clearTimeout(timer));
  body.resume();
}

/** Destroys a response and its socket. */
export function destroyBody(body: IncomingMessage): void {
  body.on('error', ignoreError);
  body.destroy();
}

/**
 * The text of an error response, cut to 64 KiB. A body that breaks off or takes too long counts as what
 * arrived of it. Rejects only with the reason of `signal`.
 */
export async function readErrorBody(body: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(settle, ERROR_BODY_TIMEOUT_MS);
    function onData(chunk: Buffer): void {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_ERROR_BODY_BYTES) settle();
    }
    function settle(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', settle);
      body.off('data', onData).off('end', settle).off('close', settle).off('error', settle);
      if (signal.aborted) {
        destroyBody(body);
        reject(signal.reason);
        return;
      }
      releaseBody(body);
      resolve();
    }
    if (signal.aborted) {
      settle();
      return;
    }
    signal.addEventListener('abort', settle, { once: true });
    body.on('data', onData).on('end', settle).on('close', settle).on('error', settle);
  });
  return Buffer.concat(chunks).subarray(0, MAX_ERROR_BODY_BYTES).toString('utf8');
}

export type WholeBody =
  | { readonly kind: 'whole'; readonly text: string }
  /** The connection broke before the end. */
  | { readonly kind: 'truncated'; readonly cause: unknown }
  | { readonly kind: 'too-large' | 'silent' };

/**
 * All of a body, if it ends within `maxBytes` and is never silent for longer than `idleTimeoutMs`; otherwise its
 * socket is destroyed. Rejects only with the reason of `signal`.
 */
export async function readWholeBody(
  body: IncomingMessage,
  { maxBytes, idleTimeoutMs, signal }: { maxBytes: number; idleTimeoutMs: number; signal: AbortSignal },
): Promise<WholeBody> {
  const chunks: Buffer[] = [];
  let size = 0;
  return await new Promise<WholeBody>((resolve, reject) => {
    const timer = setTimeout(() => settle({ kind: 'silent' }), idleTimeoutMs);
    const onAbort = (): void => settle({ kind: 'truncated', cause: signal.reason });
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) settle({ kind: 'too-large' });
      else timer.refresh();
    };
    const onEnd = (): void => settle({ kind: 'whole', text: Buffer.concat(chunks).toString('utf8') });
    const onBroken = (cause?: unknown): void => settle({ kind: 'truncated', cause });
    const settle = (outcome: WholeBody): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      body.off('data', onData).off('end', onEnd).off('close', onBroken).off('error', onBroken);
      if (outcome.kind === 'whole') releaseBody(body);
      else destroyBody(body);
      if (signal.aborted) reject(signal.reason);
      else resolve(outcome);
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    body.on('data', onData).on('end', onEnd).on('close', onBroken).on('error', onBroken);
  });
}
