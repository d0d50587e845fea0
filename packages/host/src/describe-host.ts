import { readFileSync } from 'node:fs';
import { release } from 'node:os';

/** What the user agent says about the machine: `(OS-NAME OS-VERSION; ARCH) TERMINAL`. */
export interface HostDescription {
  readonly osName: string;
  readonly osVersion: string;
  readonly arch: string;
  readonly terminal: string;
}

/** Reads at most one small file. */
export function describeHost(environment: Readonly<Record<string, string | undefined>> = process.env): HostDescription {
  return { ...describeSystem(), arch: architecture(), terminal: describeTerminal(environment) };
}

function describeSystem(): { osName: string; osVersion: string } {
  switch (process.platform) {
    case 'linux':
      return parseOsRelease(readIfPresent('/etc/os-release'));
    case 'darwin': {
      const list = readIfPresent('/System/Library/CoreServices/SystemVersion.plist');
      const version = /<key>ProductVersion<\/key>\s*<string>([^<]+)</.exec(list)?.[1];
      return { osName: 'Mac OS', osVersion: version ?? release() };
    }
    case 'win32':
      return { osName: 'Windows', osVersion: release() };
    default:
      return { osName: process.platform, osVersion: release() };
  }
}

/** Name and version of a distribution from the text of its `os-release` file. */
export function parseOsRelease(text: string): { osName: string; osVersion: string } {
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}=["']?([^"'\\n]+)`, 'm').exec(text)?.[1]?.trim();
  return { osName: value('NAME') ?? 'Linux', osVersion: value('VERSION_ID') ?? release() };
}

function architecture(): string {
  if (process.arch === 'x64') return 'x86_64';
  return process.arch === 'arm64' && process.platform === 'linux' ? 'aarch64' : process.arch;
}

function describeTerminal(environment: Readonly<Record<string, string | undefined>>): string {
  const program = environment['TERM_PROGRAM'];
  const version = environment['TERM_PROGRAM_VERSION'];
  if (program !== undefined && program !== '') {
    return version === undefined || version === '' ? program : `${program}/${version}`;
  }
  return environment['TERM'] || 'unknown';
}

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the caller has something to say without it
  }
}
