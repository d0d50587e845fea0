type AccountTools = typeof import('./account-tools.ts');

/** Fetches what asks for an account's limits and sums up what is known of them; turns need none of it. */
export async function loadAccountTools(): Promise<AccountTools> {
  return await import('./account-tools.ts');
}
