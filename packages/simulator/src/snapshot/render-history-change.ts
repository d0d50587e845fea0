import type { JsonObject } from '@quire/protocol';
import { renderItem } from './render-item.ts';
import { type RenderOptions, tellingOf } from './render-options.ts';

type Change = { readonly mark: ' ' | '-' | '+'; readonly item: JsonObject };

/**
 * What a rewrite of a history (compaction, rollback, quarantine) kept, dropped (`-`) and added (`+`), in the order of
 * the new one. Items are the same when their JSON text is. It ends without a line break.
 */
export function renderHistoryChange(
  before: readonly JsonObject[],
  after: readonly JsonObject[],
  options: RenderOptions = {},
): string {
  const telling = tellingOf(options);
  const changes = compare(before, after);
  const count = (mark: Change['mark']): number => changes.filter((change) => change.mark === mark).length;
  return [
    `kept ${count(' ')}, dropped ${count('-')}, added ${count('+')}`,
    ...changes.flatMap(({ mark, item }) => renderItem(item, telling).map((line) => `${mark} ${line}`)),
  ].join('\n');
}

/** The shortest change, by a longest common subsequence. */
function compare(before: readonly JsonObject[], after: readonly JsonObject[]): readonly Change[] {
  const oldKeys = before.map((item) => JSON.stringify(item));
  const newKeys = after.map((item) => JSON.stringify(item));
  const lengths = commonLengths(oldKeys, newKeys);
  const width = newKeys.length + 1;
  const at = (oldIndex: number, newIndex: number): number => lengths[oldIndex * width + newIndex] ?? 0;
  const changes: Change[] = [];
  let oldIndex = 0;
  let newIndex = 0;
  for (;;) {
    const left = before[oldIndex];
    const right = after[newIndex];
    if (left !== undefined && right !== undefined && oldKeys[oldIndex] === newKeys[newIndex]) {
      changes.push({ mark: ' ', item: right });
      oldIndex += 1;
      newIndex += 1;
    } else if (
      left !== undefined &&
      (right === undefined || at(oldIndex + 1, newIndex) >= at(oldIndex, newIndex + 1))
    ) {
      changes.push({ mark: '-', item: left });
      oldIndex += 1;
    } else if (right !== undefined) {
      changes.push({ mark: '+', item: right });
      newIndex += 1;
    } else return changes;
  }
}

/** Row by row, how many items the rests behind two places have in common. */
function commonLengths(oldKeys: readonly string[], newKeys: readonly string[]): Uint32Array {
  const width = newKeys.length + 1;
  const lengths = new Uint32Array((oldKeys.length + 1) * width);
  for (let row = oldKeys.length - 1; row >= 0; row -= 1) {
    for (let column = newKeys.length - 1; column >= 0; column -= 1) {
      const place = row * width + column;
      const isSame = oldKeys[row] === newKeys[column];
      lengths[place] = isSame
        ? (lengths[place + width + 1] ?? 0) + 1
        : Math.max(lengths[place + width] ?? 0, lengths[place + 1] ?? 0);
    }
  }
  return lengths;
}
