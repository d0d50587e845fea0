import { editDistance } from '@quire/protocol';

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
