/** @param end why there can be none, and what to do instead */
export function needsApproval(end: { readonly why: string; readonly instead: string }): string {
  return `needs an approval, and ${end.why}; ${end.instead}`;
}
