import { BlockList, isIP } from 'node:net';

/**
 * Networks that are this machine, a network around it, or nobody: version, network, length. Source: the registries of
 * special-purpose addresses of IANA.
 */
const PRIVATE_NETWORKS: readonly (readonly ['ipv4' | 'ipv6', string, number])[] = [
  ['ipv4', '0.0.0.0', 8],
  ['ipv4', '10.0.0.0', 8],
  ['ipv4', '100.64.0.0', 10],
  ['ipv4', '127.0.0.0', 8],
  ['ipv4', '169.254.0.0', 16],
  ['ipv4', '172.16.0.0', 12],
  ['ipv4', '192.0.0.0', 24],
  ['ipv4', '192.168.0.0', 16],
  ['ipv4', '198.18.0.0', 15],
  ['ipv4', '224.0.0.0', 3],
  ['ipv6', '::', 96],
  ['ipv6', '64:ff9b::', 96],
  ['ipv6', '64:ff9b:1::', 48],
  ['ipv6', '2001::', 32],
  ['ipv6', '2002::', 16],
  ['ipv6', 'fc00::', 7],
  ['ipv6', 'fe80::', 10],
  ['ipv6', 'fec0::', 10],
  ['ipv6', 'ff00::', 8],
];

const privateNetworks = new BlockList();
for (const [version, network, length] of PRIVATE_NETWORKS) privateNetworks.addSubnet(network, length, version);

/** Whether an address leads to this machine or the network around it. What is no address counts as one that does. */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 0) return true;
  // An address of version 4 inside of one of version 6 is checked as what it leads to.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPrivateAddress(mapped);
  if (version === 6 && /^::ffff:/i.test(address)) return true;
  return privateNetworks.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
