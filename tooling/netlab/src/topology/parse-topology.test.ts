import { describe, expect, test } from 'vitest';
import { parseTopology } from './parse-topology.ts';

describe('the drawing of a network', () => {
  test('is what gets built', () => {
    expect(
      parseTopology(`
internet
├─ north
│  ├─ A     66.171.45.90  2a01:4f8:1::90
│  └─ home  nat 93.184.216.34
│     └─ N  192.168.1.10
└─ B        201.1.157.11
`),
    ).toEqual({
      routers: [
        { name: 'internet', above: undefined, nat: undefined },
        { name: 'north', above: 'internet', nat: undefined },
        { name: 'home', above: 'north', nat: '93.184.216.34' },
      ],
      hosts: [
        { name: 'A', above: 'north', addresses: ['66.171.45.90', '2a01:4f8:1::90'] },
        { name: 'N', above: 'home', addresses: ['192.168.1.10'] },
        { name: 'B', above: 'internet', addresses: ['201.1.157.11'] },
      ],
    });
  });

  test.each([
    ['', 'a network needs a host'],
    ['A 1.2.3.4', 'a host hangs on a router: "A 1.2.3.4"'],
    ['i\n├─ A', 'a host needs an address: "├─ A"'],
    ['i\n├─ A 1.2.3', '1.2.3 is no IP address'],
    ['i\n├─ A 1.2.3.4 5.6.7.8', 'two addresses of IPv4'],
    ['i\n├─ A 1.2.3.4\n└─ A 1.2.3.5', 'A is there twice'],
    ['i\n├─ A 1.2.3.4\n└─ B 1.2.3.4', '1.2.3.4 is there twice'],
    ['i\n│  └─ A 1.2.3.4', 'it hangs on nothing'],
    ['i\n└─ A 1.2.3.4\nj\n└─ B 1.2.3.5', 'it hangs on nothing: "j"'],
    ['i nat 9.9.9.9\n└─ A 1.2.3.4', 'the first router has no outside'],
    ['i\n└─ r 9.9.9.9\n   └─ A 1.2.3.4', 'a router has nothing but `nat` and an IPv4 address'],
    ['i\n└─ r nat ::1\n   └─ A 1.2.3.4', 'a router has nothing but `nat` and an IPv4 address'],
    ['i\n +- A 1.2.3.4', 'expected branch marks, a name and addresses, not " +- A 1.2.3.4"'],
  ])('%j is refused by name', (drawing, message) => {
    expect(() => parseTopology(drawing)).toThrow(message);
  });
});
