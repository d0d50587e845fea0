import type { ResponseItem } from '@quire/protocol';

const sources = new WeakMap<ResponseItem, ResponseItem>();

/** A memory of what `change` made of each item, as long as the item lives: asked twice, it gives the same object. */
export function rememberChanges<Source extends ResponseItem, Result extends ResponseItem>(
  change: (item: Source) => Result,
): (item: Source) => Result {
  const known = new WeakMap<Source, Result>();
  return (item) => {
    let result = known.get(item);
    if (result === undefined) {
      result = change(item);
      known.set(item, result);
      if ((result as ResponseItem) !== item) sources.set(result, item);
    }
    return result;
  };
}

/**
 * The item of the history that an item of a request stands for: itself, the one that it was made of, or the call
 * that it answers because the real answer is lost.
 */
export function sourceOf(item: ResponseItem): ResponseItem {
  let source = item;
  for (;;) {
    const earlier = sources.get(source);
    if (earlier === undefined) return source;
    source = earlier;
  }
}
