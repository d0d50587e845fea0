type Refusals = typeof import('./refusal-file.ts');

/** Fetches what keeps the last refusal of credentials; a run without one never has it in memory. */
export async function loadRefusals(): Promise<Pick<Refusals, 'readRefusal' | 'writeRefusal'>> {
  return await import('./refusal-file.ts');
}
