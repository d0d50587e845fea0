/** Short, easy to tell apart when heard or read. */
const NICKNAMES = [
  'Alder',
  'Birch',
  'Cedar',
  'Elm',
  'Fern',
  'Hazel',
  'Ivy',
  'Juniper',
  'Larch',
  'Maple',
  'Oak',
  'Pine',
  'Rowan',
  'Spruce',
  'Willow',
  'Yew',
] as const;

/** The name of the agent with this number, from 0 on; once all are taken they come again with a number. */
export function nickname(index: number): string {
  const name = NICKNAMES[index % NICKNAMES.length] ?? NICKNAMES[0];
  const round = Math.floor(index / NICKNAMES.length);
  return round === 0 ? name : `${name} ${round + 1}`;
}
