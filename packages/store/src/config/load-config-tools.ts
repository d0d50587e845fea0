/** What looks into the configuration and changes it: loaded by the commands for that, and by nothing else. */
export function loadConfigTools(): Promise<typeof import('./config-tools.ts')> {
  return import('./config-tools.ts');
}
