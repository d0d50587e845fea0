/** What a build that was never released says. Source: facts, models endpoint. */
const DEVELOPMENT_VERSION = '99.99.99';

/**
 * The three numbers of a version, as the models endpoint wants them and the cache file keeps them: without what stands
 * behind. A version without three numbers counts as a development build.
 */
export function catalogClientVersion(version: string): string {
  const numbers = /^(\d+\.\d+\.\d+)(?![\d.])/.exec(version)?.[1];
  return numbers === undefined || numbers === '0.0.0' ? DEVELOPMENT_VERSION : numbers;
}
