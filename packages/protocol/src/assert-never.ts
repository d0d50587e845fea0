/** Makes the compiler point at a union that gained a variant. Throws only if types lied. */
export function assertNever(value: never, context: string): never {
  throw new Error(`${context}: unexpected ${JSON.stringify(value)}`);
}
