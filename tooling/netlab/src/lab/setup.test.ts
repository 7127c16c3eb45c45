import { describe, expect, test } from 'vitest';
import { parseTopology } from '../topology/parse-topology.ts';
import { setupOf } from './setup.ts';

const { cables, scripts } = setupOf(
  parseTopology(`
internet
├─ north
│  └─ A     66.171.45.90  2a01:4f8:1::90
└─ home     nat 84.20.30.40
   └─ N     192.168.1.10  2a01:4f8:9::10
`),
);
const cableTo = (name: string): (typeof cables)[number] => cables.find(({ lower }) => lower === name) as (typeof cables)[number];

describe('the setup of a network', () => {
  test('has a cable to everything but the root, each with devices of its own at the upper end', () => {
    expect(cables.map(({ upper, lower }) => `${upper} ${lower}`)).toEqual(['internet north', 'internet home', 'north A', 'home N']);
    expect(new Set(cables.map(({ upperDevice }) => upperDevice)).size).toBe(cables.length);
    expect([...scripts.keys()]).toEqual(['internet', 'north', 'home', 'A', 'N']);
  });

  test('a router knows the way to what is below it, over the routers between', () => {
    expect(cableTo('north').plug).toContain('ip route replace 66.171.45.90 via 169.254.1.2 onlink dev cable1\n');
    expect(cableTo('north').plug).toContain('ip route replace 2a01:4f8:1::90 via fe80::1:2 onlink dev cable1');
    expect(cableTo('A').plug).toContain('ip route replace 66.171.45.90 dev cable3\n');
  });

  test('a NAT shows its own address instead of those of IPv4, and lets nobody in', () => {
    expect(cableTo('home').plug).toContain('ip route replace 84.20.30.40 via');
    expect(cableTo('home').plug).not.toContain('192.168.1.10');
    expect(cableTo('home').plug).toContain('2a01:4f8:9::10 via');
    expect(scripts.get('home')).toContain('snat to 84.20.30.40');
    expect(scripts.get('home')).toContain('policy drop');
    expect(scripts.get('north')).not.toContain('nft');
  });

  test('where a cable is pulled packets fall into a hole', () => {
    expect(scripts.get('internet')).toContain('ip route add blackhole 66.171.45.90 metric');
    expect(cableTo('A').unplug).toBe('ip link set dev cable3 down');
  });
});
