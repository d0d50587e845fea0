import { untilAborted } from '@quire/network';

/** Like `untilAborted`, and gives `undefined` when it takes longer than that. */
export async function withinPatience<Value>(
  work: Promise<Value>,
  { signal, patienceMs }: { readonly signal: AbortSignal; readonly patienceMs: number },
): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMs);
  });
  try {
    return await untilAborted(Promise.race([work, patience]), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after that long. Rejects with the reason of the signal. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const waking = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await untilAborted(waking, signal);
  } finally {
    clearTimeout(timer);
  }
}
