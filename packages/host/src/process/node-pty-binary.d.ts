declare module '@lydell/node-pty/requireBinary.js' {
  /** Loads a native module of the package; throws when there is none for this platform. */
  export function requireBinary(file: string): unknown;
}
