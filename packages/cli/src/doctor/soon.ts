/** Where the time of the checks is over, the same may hang once more. Milliseconds. */
const GRACE_MS = 300;

/** The value, or `undefined` when the signal has fired and the value does not come at once. */
export async function soon<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  if (!signal.aborted) return await work;
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), GRACE_MS);
  });
  return await Promise.race([work.catch(() => undefined), grace]).finally(() => clearTimeout(timer));
}
