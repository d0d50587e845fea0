import type { ModelPort } from '@quire/core';

/** Time for a request to be written before anything else may keep the processor busy. */
const WRITING_MS = 30;

/** The same line, and a promise that is settled once its first request is on its way. */
export function observeFirstRequest(model: ModelPort): { readonly model: ModelPort; readonly sent: Promise<void> } {
  const { promise, resolve } = withResolver();
  let isSent = false;
  return {
    sent: promise,
    model: {
      ...(model.warmUp === undefined ? {} : { warmUp: model.warmUp.bind(model) }),
      ...(model.compact === undefined ? {} : { compact: model.compact.bind(model) }),
      close: () => model.close(),
      beginTurn: (identity) => {
        const turn = model.beginTurn(identity);
        return {
          stream: (request, options) => {
            if (!isSent) setTimeout(resolve, WRITING_MS).unref();
            isSent = true;
            return turn.stream(request, options);
          },
        };
      },
    },
  };
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
