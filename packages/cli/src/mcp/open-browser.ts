import { spawn } from 'node:child_process';

/** Opens an address where there is a desktop to do so. The address is shown anyway, so a failure is none. */
export function openBrowser(url: string): void {
  const program = browserProgram();
  if (program === undefined) return;
  const child = spawn(program, [url], { detached: true, stdio: 'ignore' });
  child.on('error', () => undefined);
  child.unref();
}

function browserProgram(): string | undefined {
  if (process.platform === 'darwin') return 'open';
  if (process.platform === 'win32') return 'explorer';
  const hasDesktop = (process.env['DISPLAY'] ?? '') !== '' || (process.env['WAYLAND_DISPLAY'] ?? '') !== '';
  return hasDesktop ? 'xdg-open' : undefined;
}
