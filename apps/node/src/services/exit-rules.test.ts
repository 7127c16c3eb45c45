import { describe, expect, test } from 'vitest';
import { ExitRules } from './exit-rules.ts';

describe('the rules of an exit', () => {
  test.each([
    ['a name, on its ports only', ['example.com:443'], 'example.com', '93.184.216.34', 443, true],
    ['a name, however it is written', ['example.com:443'], 'EXAMPLE.com.', '93.184.216.34', 443, true],
    ['another port', ['example.com:443'], 'example.com', '93.184.216.34', 80, false],
    ['another name', ['example.com:443'], 'example.org', '93.184.216.34', 443, false],
    ['all names below one', ['*.example.com:*'], 'a.b.example.com', '93.184.216.34', 22, true],
    ['but not that one', ['*.example.com:*'], 'example.com', '93.184.216.34', 22, false],
    ['nor one that only ends like it', ['*.example.com:*'], 'badexample.com', '93.184.216.34', 22, false],
    ['everything, on some ports', ['*:80,443'], 'anything.example', '93.184.216.34', 443, true],
    ['a range of ports', ['*:8000-8010'], 'anything.example', '93.184.216.34', 8005, true],
    ['a network', ['10.0.0.0/8:22'], '10.1.2.3', '10.1.2.3', 22, true],
    ['a name that leads into it', ['10.0.0.0/8:22'], 'inside.example', '10.1.2.3', 22, true],
    ['an address', ['127.0.0.1:8080'], '127.0.0.1', '127.0.0.1', 8080, true],
    ['an IPv6 network', ['[2001:db8::/32]:*'], '2001:db8::1', '2001:db8::1', 1, true],
    ['IPv4 inside IPv6 as IPv4', ['10.0.0.0/8:22'], '::ffff:10.1.2.3', '::ffff:10.1.2.3', 22, true],
    ['no private address by `*`', ['*:*'], '10.1.2.3', '10.1.2.3', 22, false],
    ['nor this machine by a name', ['*.example.com:*'], 'trap.example.com', '127.0.0.1', 80, false],
    ['nor where clouds tell secrets', ['*:*'], 'metadata.example', '169.254.169.254', 80, false],
    ['nor any of these inside IPv6', ['*:*'], '::ffff:127.0.0.1', '::ffff:127.0.0.1', 80, false],
    ['nothing without rules', [], 'example.com', '93.184.216.34', 443, false],
  ] as const)('allow %s', (_, rules, host, address, port, allowed) => {
    expect(new ExitRules(rules).allows(host, address, port)).toBe(allowed);
  });

  test('say before a name is resolved whether it may be', () => {
    const rules = new ExitRules(['example.com:443', '10.0.0.0/8:22']);
    expect(rules.mayAllow('example.com', 443)).toBe(true);
    expect(rules.mayAllow('other.example', 22)).toBe(true);
    expect(rules.mayAllow('other.example', 443)).toBe(false);
  });

  test.each([
    ['example.com', 'expected host:ports'],
    ['example.com:', 'expected host:ports'],
    ['example.com:0', 'is no port'],
    ['example.com:443-80', 'is no port'],
    ['example.com:https', 'is no port'],
    ['exa mple.com:443', 'is no host name'],
    ['10.0.0.1/8:22', 'the network is 10.0.0.0/8'],
    ['[2001:db8::/129]:1', 'the length of its prefix'],
  ])('%s is refused, with what is wrong', (rule, why) => {
    expect(() => new ExitRules([rule])).toThrow(why);
    expect(() => new ExitRules([rule])).toThrow(JSON.stringify(rule));
  });
});
