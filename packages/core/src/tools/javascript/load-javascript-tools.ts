import type { Clock } from '../../ports/clock.ts';
import type { JavaScriptKernel } from '../../ports/javascript-kernel.ts';
import type { Tool } from '../tool.ts';

/** Fetches what makes the tools of a kernel; a thread without one need not have it in memory. */
export async function loadJavaScriptTools(): Promise<(kernel: JavaScriptKernel, clock: Clock) => readonly Tool[]> {
  return (await import('./javascript-tools.ts')).createJavaScriptTools;
}
