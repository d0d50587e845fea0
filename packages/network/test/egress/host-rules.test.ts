import { expect, test } from 'vitest';
import { HostRules, parseAuthority } from '../../src/egress/host-rules.ts';
import { isPrivateAddress } from '../../src/egress/private-addresses.ts';

test('a rule is a name, all below a name, or an address, for every port or one [SBX-24]', () => {
  const rules = new HostRules([
    'Example.org',
    '*.deep.test',
    '10.0.0.1',
    'fe80::1',
    'port.test:8443',
    '*',
    'bad name',
    '',
  ]);
  const table = [
    ['example.org:1', true],
    ['EXAMPLE.ORG.:443', true],
    ['www.example.org:443', false],
    ['a.deep.test:443', true],
    ['a.b.deep.test:443', true],
    ['deep.test:443', false],
    ['notdeep.test:443', false],
    ['10.0.0.1:80', true],
    ['10.0.0.2:80', false],
    ['[fe80::1]:80', true],
    ['port.test:8443', true],
    ['port.test:443', false],
  ] as const;
  const answers = table.map(([text]) => {
    const destination = parseAuthority(text, /* defaultPort */ undefined);
    return [text, destination !== undefined && rules.allows(destination)];
  });
  expect(answers).toEqual(table);
});

test('addresses of this machine and of networks around it are told apart from others [SBX-25]', () => {
  const inside = ['127.0.0.1', '0.0.0.0', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1'];
  const insideSix = [
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ];
  const outside = ['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:1.1.1.1'];
  expect([...inside, ...insideSix, 'name'].filter((address) => !isPrivateAddress(address))).toEqual([]);
  expect(outside.filter(isPrivateAddress)).toEqual([]);
});
