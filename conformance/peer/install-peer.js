import { findPeerBinary, installPackages } from '../install-packages.js';

/** The newest version on the registry on the day it was pinned. */
export const PEER_VERSION = '0.169.0';

/**
 * Installs the peer when it is missing.
 * @param {string} folder
 * @returns {Promise<string>} path of its native binary
 */
export async function installPeer(folder) {
  await installPackages(folder, { '@openai/codex': PEER_VERSION });
  return findPeerBinary(folder);
}
