import { BlockList, isIP, isIPv4 } from 'node:net';
import type { Target } from '../target.ts';

/**
 * Whether `NO_PROXY` names the target: `*`, a name with all below it, an address, a network; each with an
 * optional port. An entry that is none of these names nothing.
 */
export function isExcepted(target: Target, exceptions: string): boolean {
  return exceptions.split(/[\s,]+/).some((entry) => entry !== '' && matches(entry.toLowerCase(), target));
}

function matches(entry: string, { host, port }: Target): boolean {
  if (entry === '*') return true;
  const withPort = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry);
  if (withPort !== null && Number(withPort[2]) !== port) return false;
  const name = (withPort?.[1] ?? entry).replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return isSameAddress(name, host) || isInNetwork(name, host);
  const suffix = name.replace(/^\*?\./, '').replace(/\.$/, '');
  // Compared as whole texts: a target holds no character that could end one early, see `parseTarget`.
  return suffix !== '' && (host === suffix || host.endsWith(`.${suffix}`));
}

function isSameAddress(address: string, host: string): boolean {
  return isInNetwork(`${address}/${isIPv4(address) ? 32 : 128}`, host);
}

function isInNetwork(network: string, host: string): boolean {
  const [address = '', length] = network.split('/');
  if (length === undefined || !/^\d+$/.test(length) || isIP(address) !== isIP(host)) return false;
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (Number(length) > (family === 'ipv4' ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(length), family);
  return list.check(host, family);
}
