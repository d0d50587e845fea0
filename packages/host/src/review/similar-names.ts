const MAX_NAMES = 3;

/** Of the known names those that are spelled nearly alike, or that contain the name; the nearest first. */
export function similarNames(name: string, known: readonly string[]): string[] {
  const wanted = name.toLowerCase();
  const limit = Math.max(2, Math.floor(name.length / 3));
  const rated = known.map((candidate) => {
    const spelled = candidate.toLowerCase();
    const isPart = wanted !== '' && (spelled.includes(wanted) || wanted.includes(spelled));
    return {
      candidate,
      distance: isPart ? Math.min(limit, editDistance(wanted, spelled)) : editDistance(wanted, spelled),
    };
  });
  const near = rated.filter(({ distance }) => distance <= limit).toSorted((a, b) => a.distance - b.distance);
  return near.slice(0, MAX_NAMES).map(({ candidate }) => candidate);
}

/** Levenshtein distance in code units. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
