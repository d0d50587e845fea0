import type { SandboxReport } from '@quire/agent';
import { systemReason } from '../../exec/setup-error.ts';
import type { CheckResult } from '../check.ts';

/** Tries every sandbox of the platform for real. */
export async function checkSandbox(): Promise<CheckResult> {
  try {
    const { Quire } = await import('@quire/agent');
    return describeSandbox(await new Quire().probeSandbox(), process.platform);
  } catch (error) {
    return { id: 'sandbox', verdict: 'failed', summary: `could not be tried: ${systemReason(error)}`, details: [] };
  }
}

/** @param platform as `process.platform` says it */
export function describeSandbox({ chosen, tried }: SandboxReport, platform: string): CheckResult {
  const used = tried.find(({ backend, works }) => works && backend === chosen);
  const details = tried.flatMap((report) => [
    `${report.backend}: ${report.works ? 'works' : 'does not work'} (${report.detail})`,
    ...report.gaps.map((gap) => `  not kept out by ${report.backend}: ${gap}`),
  ]);
  if (used === undefined) {
    const summary = 'no sandbox works, so commands that have to be confined are refused';
    return { id: 'sandbox', verdict: 'failed', summary, details, remedy: remedyOf(platform) };
  }
  const summary = `commands are confined by ${used.backend} (${used.detail})`;
  // One gap is no reason to worry: what is listed then can be read, and not changed.
  if (used.gaps.length <= 1) return { id: 'sandbox', verdict: 'ok', summary, details };
  return { id: 'sandbox', verdict: 'warning', summary, details, remedy: remedyOf(platform) };
}

function remedyOf(platform: string): string {
  if (platform === 'linux') {
    return (
      'install bubblewrap or perl from your distribution; the user must be allowed to make namespaces (in a container: ' +
      'a seccomp profile that allows unshare and mount), or the kernel must have Landlock. See docs/sandbox.md'
    );
  }
  return platform === 'darwin'
    ? 'see docs/sandbox.md'
    : `there is no sandbox for ${platform} yet; work in a Linux virtual machine or container. See docs/sandbox.md`;
}
