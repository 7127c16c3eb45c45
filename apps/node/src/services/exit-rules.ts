import { isIP } from 'node:net';
import { IpNetworks, addressClass } from '@matryoshka/transport';
import { isHostName } from './service-name.ts';

/** One line of an exit's allow list. */
interface ExitRule {
  readonly allowsHost: (host: string) => boolean;
  /** Networks of which addresses are allowed that are not global ones; undefined for rules about names. */
  readonly networks: IpNetworks | undefined;
  readonly ports: readonly (readonly [from: number, to: number])[];
}

/**
 * Which ordinary hosts an exit connects others to. A rule is `host:ports`: the host a name, `*.name` for all below it,
 * an address or network in CIDR notation (IPv6 in brackets), or `*`; the ports `*` or a list such as `80,443,8000-8010`.
 *
 * Names and `*` allow what resolves to global addresses only: what a machine can reach beside the Internet, itself
 * included, is allowed by its network alone, whatever name leads there.
 */
export class ExitRules {
  readonly #rules: readonly ExitRule[];

  /** @throws TypeError that quotes the rule and says what is wrong with it */
  constructor(texts: readonly string[]) {
    this.#rules = texts.map(parseRule);
  }

  /** Whether something may be allowed there, before its name is resolved. */
  mayAllow(host: string, port: number): boolean {
    return this.#rules.some(({ allowsHost, networks, ports }) => inPorts(ports, port) && (networks !== undefined || allowsHost(host)));
  }

  /** Whether `host`, which is or was resolved to `address`, is allowed on `port`. */
  allows(host: string, address: string, port: number): boolean {
    const global = addressClass(address) === 'global';
    return this.#rules.some(
      ({ allowsHost, networks, ports }) =>
        inPorts(ports, port) && (networks === undefined ? global && allowsHost(host) : networks.has(address)),
    );
  }
}

function parseRule(rule: string): ExitRule {
  const [, bracketed, plain, ports] = /^(?:\[([^\]]+)\]|([^:]+)):([^:]+)$/.exec(rule) ?? [];
  const host = bracketed ?? plain;
  const wrong = (why: string): TypeError => new TypeError(`${JSON.stringify(rule)} is no rule of an exit: ${why}`);
  if (host === undefined || ports === undefined)
    throw wrong('expected host:ports, as example.com:443, *.example.com:*, 10.0.0.0/8:22, [2001:db8::/32]:* or *:80,443');
  const parsed = { ports: parsePorts(ports, wrong) };
  if (bracketed !== undefined || host.includes('/') || isIP(host) !== 0) {
    try {
      return { ...parsed, allowsHost: () => false, networks: new IpNetworks([host]) };
    } catch (error) {
      throw wrong((error as Error).message);
    }
  }
  if (host === '*') return { ...parsed, allowsHost: () => true, networks: undefined };
  const name = host.toLowerCase();
  const suffix = name.startsWith('*.') ? name.slice(1) : undefined;
  if (!isHostName(suffix === undefined ? name : suffix.slice(1)))
    throw wrong(`${JSON.stringify(host)} is no host name, address or network`);
  const plainName = (text: string): string => text.toLowerCase().replace(/\.$/, '');
  return {
    ...parsed,
    networks: undefined,
    allowsHost: suffix === undefined ? (other) => plainName(other) === name : (other) => plainName(other).endsWith(suffix),
  };
}

function parsePorts(text: string, wrong: (why: string) => TypeError): ExitRule['ports'] {
  if (text === '*') return [[1, 65_535]];
  return text.split(',').map((part) => {
    const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim()) ?? [];
    const range = [Number(from), Number(to)] as const;
    if (from === undefined || range[0] < 1 || range[1] > 65_535 || range[0] > range[1])
      throw wrong(`${JSON.stringify(part)} is no port or range of ports from 1 to 65535`);
    return range;
  });
}

function inPorts(ports: ExitRule['ports'], port: number): boolean {
  return ports.some(([from, to]) => from <= port && port <= to);
}
