/** Runs `work` for each entry, `limit` at a time, and gives back the results in order. The first rejection ends it. */
export async function inParallel<Entry, Result>(
  entries: Iterable<Entry>,
  limit: number,
  work: (entry: Entry) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = [...entries].entries();
  const worker = async (): Promise<void> => {
    for (const [index, entry] of queue) results[index] = await work(entry);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}
