/**
 * The lock file as a value: what may not stand in it, and what npm leaves out.
 *
 * npm drops the entry of an optional platform package whenever the registry at hand does not carry that
 * package, and `npm ci` then refuses the file. `completeLockfile` writes the entry again from what its parent
 * asks for; it has no integrity, since the bytes were never seen.
 */

/**
 * @typedef {{ version?: string, resolved?: string, integrity?: string, link?: boolean, dev?: boolean, optional?: boolean,
 *   inBundle?: boolean, os?: string[], cpu?: string[], libc?: string[],
 *   dependencies?: Record<string, string>, devDependencies?: Record<string, string>,
 *   optionalDependencies?: Record<string, string> }} LockEntry
 * @typedef {{ lockfileVersion: number, packages: Record<string, LockEntry> }} Lockfile
 */

const OPERATING_SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/**
 * The platform that a package is for, read from its name (`…-linux-arm64-musl`), or `undefined` when it names none.
 * @param {string} name
 * @returns {{ os: string[], cpu: string[], libc?: string[] } | undefined}
 */
export function platformOfName(name) {
  const words = name.split(/[/_-]/);
  const os = OPERATING_SYSTEMS.find((word) => words.includes(word));
  const cpu = PROCESSORS.find((word) => words.includes(word));
  if (os === undefined || cpu === undefined) return undefined;
  if (os !== 'linux') return { os: [os], cpu: [cpu] };
  const isMusl = words.some((word) => word.startsWith('musl'));
  return { os: [os], cpu: [cpu], libc: [isMusl ? 'musl' : 'glibc'] };
}

/**
 * Optional packages that an entry asks for with an exact version and that have no entry of their own.
 * @param {Lockfile} lockfile
 * @returns {{ path: string, name: string, version: string, dev: boolean, askedBy: string }[]}
 */
function missingOptionalPackages(lockfile) {
  const missing = [];
  for (const [path, entry] of Object.entries(lockfile.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!/^\d+\.\d+\.\d+/.test(version)) continue;
      const nested = `${path}/node_modules/${name}`;
      const hoisted = `node_modules/${name}`;
      if (lockfile.packages[nested] !== undefined || lockfile.packages[hoisted] !== undefined) continue;
      missing.push({ path: hoisted, name, version, dev: entry.dev === true, askedBy: path });
    }
  }
  return missing;
}

/**
 * The lock file with an entry for every optional platform package, and without download addresses.
 * @param {Lockfile} lockfile
 * @returns {Lockfile}
 */
export function completeLockfile(lockfile) {
  /** @type {Record<string, LockEntry>} */
  const packages = {};
  for (const [path, entry] of Object.entries(lockfile.packages)) {
    const { resolved, ...rest } = entry;
    packages[path] = isDownloadAddress(resolved) ? rest : entry;
  }
  for (const { path, name, version, dev } of missingOptionalPackages(lockfile)) {
    const platform = platformOfName(name);
    if (platform === undefined) continue;
    const { os, cpu, libc } = platform;
    packages[path] = { version, cpu, ...(dev && { dev }), ...(libc && { libc }), optional: true, os };
  }
  const sorted = Object.entries(packages).sort(([left], [right]) => (left < right ? -1 : 1));
  return { ...lockfile, packages: Object.fromEntries(sorted) };
}

/**
 * @param {Lockfile} lockfile
 * @returns {string[]} one line for each thing that may not stand in the file
 */
export function lockfileFindings(lockfile) {
  const findings = [];
  for (const [path, entry] of Object.entries(lockfile.packages)) {
    if (isDownloadAddress(entry.resolved)) {
      findings.push(`package-lock.json: ${path} holds a download address; run: node tools/lockfile.js --write`);
    }
    const isDownloaded = path.includes('node_modules/') && entry.link !== true && entry.inBundle !== true;
    if (isDownloaded && entry.integrity === undefined && platformOfName(path) === undefined) {
      findings.push(`package-lock.json: ${path} has no integrity`);
    }
  }
  for (const { name, version, askedBy } of missingOptionalPackages(lockfile)) {
    findings.push(
      `package-lock.json: ${askedBy} asks for ${name}@${version}, which has no entry, so npm ci refuses the file; run: node tools/lockfile.js --write`,
    );
  }
  return findings;
}

/**
 * @param {string} file path shown in findings
 * @param {{ dependencies?: Record<string, string>, devDependencies?: Record<string, string>, optionalDependencies?: Record<string, string> }} manifest
 * @returns {string[]} one line for each dependency that is not pinned to one version
 */
export function unpinnedDependencies(file, manifest) {
  const exact = /^(npm:(@[^/]+\/)?[^@]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  return Object.entries(all)
    .filter(([, version]) => !exact.test(version))
    .map(([name, version]) => `${file}: ${name} is "${version}"; pin one exact version`);
}

/** @param {string | undefined} resolved */
function isDownloadAddress(resolved) {
  return resolved !== undefined && /^[a-z+]+:\/\//.test(resolved);
}
