import { createIdentity, portableProvider } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import type { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { parseNodeOptions } from './options.ts';

const transports = [() => ({})];
const identity = createIdentity(portableProvider, seededRandom(1));

const DEFAULT_ACCESS = {
  allow: [],
  deny: [],
  denyPeers: [],
  hidden: false,
  exempt: [],
  ipv4SourceBits: 24,
  ipv6SourceBits: 48,
  maxConnections: 16_384,
  maxConnectionsPerNetwork: 1024,
  attemptsPerSecond: 10,
  attemptBurst: 100,
  allowances: {
    unknown: { requestsPerSecond: 1, burst: 10, handshakes: 32, links: 1024 },
    known: { requestsPerSecond: 1000, burst: 1000, handshakes: 256, links: 65_536 },
    relayed: { requestsPerSecond: 1, burst: 10, handshakes: 32, links: 1024 },
  },
  reputation: { recoverPerMinute: 10, refuseBelow: 50, closeBelow: 10 },
};

function refusal(options: unknown): string {
  try {
    parseNodeOptions(options);
  } catch (error) {
    expect((error as MatryoshkaError).code).toBe('config.invalid');
    return (error as MatryoshkaError).message;
  }
  throw new Error('it was taken');
}

describe('options of a node', () => {
  test('only transports are needed; the defaults are the safe ones', () => {
    expect(parseNodeOptions({ transports })).toEqual({
      transports,
      listen: [],
      peers: [],
      relay: {
        enabled: false,
        forward: true,
        ipv4ExcludedNetworksCidrLeadingBits: 16,
        ipv6ExcludedNetworksCidrLeadingBits: 48,
        allowDial: [],
        registerWith: [],
        maxRegistrations: 1024,
        tags: {},
        dangerouslyOfferExcluded: false,
        relayMemoryBytes: 268_435_456,
        limits: {
          link: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
          peer: { links: 0, bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
          node: { links: 0, bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
          periodMs: 86_400_000,
        },
      },
      acceptAnonymous: true,
      handshakeTimeoutMs: 10_000,
      maxHandshakes: 256,
      access: DEFAULT_ACCESS,
      circuits: { entryGuards: 3, ready: 2, maxAgeMs: 600_000, maxBytes: 0, parallelBuilds: 2 },
      directory: { operator: '', bandwidthBytesPerSecond: 0, lifetimeMs: 86_400_000, intervalMs: 600_000 },
      traffic: 'standard',
      resume: {
        graceMs: 30_000,
        retainedBytes: 4 * 1024 * 1024,
        stallMs: 2000,
        maxSuspended: 1024,
        maxSuspendedPerNetwork: 256,
        maxSuspendedPerPeer: 64,
      },
    });
  });

  test('what is given is taken as it is', () => {
    const accept = (): boolean => true;
    const policy = { selectNextHop: () => undefined };
    const parsed = parseNodeOptions({
      transports,
      identity,
      listen: ['[::1]:0'],
      peers: [`${identity.peerId}@example.org:999`],
      networkKey: new Uint8Array(16),
      relay: { enabled: true, accept, policy, ipv4ExcludedNetworksCidrLeadingBits: 0 },
    });
    expect(parsed.identity).toBe(identity);
    expect(parsed.relay.accept).toBe(accept);
    expect(parsed.relay.policy).toBe(policy);
    expect(parsed.relay.ipv4ExcludedNetworksCidrLeadingBits).toBe(0);
  });

  test.each<[unknown, string]>([
    [undefined, 'options: must be an object, and is missing'],
    [5, 'options: must be an object, not 5'],
    [{}, 'transports: must be a list of transports such as tcp(), and is missing'],
    [{ transports: [] }, 'transports: must name at least one transport such as tcp()'],
    [{ transports: ['tcp'] }, 'transports.0: must be a transport such as tcp()'],
    [
      { transports, relays: true },
      'relays: unknown, known here are identity, staticKey, transports, listen, networkKey, peers, relay, acceptAnonymous, maxHandshakes, access, handshakeTimeoutMs, traffic, resume, circuits, directory, suite, provider, clock, random',
    ],
    [
      { transports, relay: { enable: true } },
      'relay.enable: unknown, known here are enabled, forward, relayPorts, ipv4ExcludedNetworksCidrLeadingBits, ipv6ExcludedNetworksCidrLeadingBits, allowDial, policy, tags, dangerouslyOfferExcluded, accept, registerWith, maxRegistrations, relayMemoryBytes, limits',
    ],
    [{ transports, relay: true }, 'relay: must be an object, not true'],
    [{ transports, relay: { enabled: 'yes' } }, 'relay.enabled: must be true or false, not "yes"'],
    [{ transports, relay: { forward: 1 } }, 'relay.forward: must be true or false, not 1'],
    [
      { transports, relay: { ipv4ExcludedNetworksCidrLeadingBits: 33 } },
      'relay.ipv4ExcludedNetworksCidrLeadingBits: must be a whole number from 0 to 32, not 33',
    ],
    [
      { transports, relay: { ipv4ExcludedNetworksCidrLeadingBits: -1 } },
      'relay.ipv4ExcludedNetworksCidrLeadingBits: must be a whole number from 0 to 32, not -1',
    ],
    [
      { transports, relay: { ipv6ExcludedNetworksCidrLeadingBits: 48.5 } },
      'relay.ipv6ExcludedNetworksCidrLeadingBits: must be a whole number from 0 to 128, not 48.5',
    ],
    [
      { transports, relay: { allowDial: ['home'] } },
      'relay.allowDial.0: must be one of loopback, link-local, private, multicast, unspecified, metadata, reserved, not "home"',
    ],
    [{ transports, relay: { allowDial: 'private' } }, 'relay.allowDial: must be a list, not "private"'],
    [{ transports, relay: { policy: null } }, 'relay.policy: must be a RoutingPolicy: an object with selectNextHop(), not null'],
    [{ transports, relay: { policy: {} } }, 'relay.policy: must be a RoutingPolicy: an object with selectNextHop()'],
    [{ transports, relay: { tags: [] } }, 'relay.tags: must be lists of tags by peer id'],
    [{ transports, relay: { tags: { [identity.peerId]: 'x' } } }, `relay.tags.${identity.peerId}: must be a list of tags, not "x"`],
    [{ transports, relay: { tags: { [identity.peerId]: [''] } } }, `relay.tags.${identity.peerId}.0: must have 1 to 72 characters, not ""`],
    [{ transports, relay: { accept: true } }, 'relay.accept: must be a function, not true'],
    [
      { transports, relay: { limits: { link: { bytesPerSecond: 100 }, peer: { link: 1 }, periodMs: 0 } } },
      [
        'relay.limits.link.bytesPerSecond: must be 0 for no limit, or 8192 at least, not 100',
        'relay.limits.peer.link: unknown, known here are links, bytesPerSecond, maxBytes, maxAgeMs',
        'relay.limits.periodMs: must be a whole number from 1000 to 31622400000, not 0',
      ].join('; '),
    ],
    [{ transports, relay: { relayMemoryBytes: 1 } }, 'relay.relayMemoryBytes: must be a whole number from 65536 to 1099511627776, not 1'],
    [{ transports, listen: '127.0.0.1:1' }, 'listen: must be a list of endpoints, not "127.0.0.1:1"'],
    [
      { transports, listen: ['127.0.0.1:1', 'x'] },
      'listen.1: "x" is not an endpoint: expected host:port or host:port:relayPort, IPv6 addresses in brackets',
    ],
    [{ transports, listen: ['127.0.0.1:1:5'] }, 'listen.0: must be host:port, without a relay port'],
    [{ transports, listen: [7] }, 'listen.0: must be text, not 7'],
    [{ transports, listen: Array.from({ length: 9 }, () => '127.0.0.1:1') }, 'listen: must have 8 endpoints at most'],
    [{ transports, peers: ['127.0.0.1:1'] }, 'peers.0: must be peerId@host:port or peerId+staticKey@host:port'],
    [{ transports, peers: [identity.peerId] }, 'peers.0: must be peerId@host:port or peerId+staticKey@host:port'],
    [{ transports, circuits: { policy: {} } }, 'circuits.policy: must be a PathPolicy'],
    [{ transports, circuits: { guards: {} } }, 'circuits.guards: must be a GuardStore'],
    [{ transports, circuits: { parallelBuilds: 3 } }, 'circuits.parallelBuilds: must be a whole number from 1 to 2, not 3'],
    [
      { transports, directory: { stores: 1 } },
      'directory.stores: unknown, known here are store, exchangeWith, publish, endpoints, operator, bandwidthBytesPerSecond, lifetimeMs, intervalMs',
    ],
    [{ transports, directory: { store: {} } }, 'directory.store: must be a store such as memoryDirectory()'],
    [{ transports, directory: { endpoints: ['example.net:1'] } }, 'directory.endpoints.0: must be address:port, no name and no port 0'],
    [{ transports, directory: { operator: 'x'.repeat(64) } }, 'directory.operator: must be text of 63 bytes at most'],
    [
      { transports, directory: { lifetimeMs: 604_800_001 } },
      'directory.lifetimeMs: must be a whole number from 60000 to 604800000, not 604800001',
    ],
    [{ transports, acceptAnonymous: 'no' }, 'acceptAnonymous: must be true or false, not "no"'],
    [{ transports, handshakeTimeoutMs: 5 }, 'handshakeTimeoutMs: must be a whole number from 100 to 600000, not 5'],
    [{ transports, maxHandshakes: 0 }, 'maxHandshakes: must be a whole number from 1 to 65536, not 0'],
    [{ transports, suite: 'rot13' }, 'suite: must be one of chacha20poly1305, aes256gcm, not "rot13"'],
    [{ transports, identity: {} }, 'identity: must be an Identity, see createIdentity(), or a seed of 32 bytes'],
    [{ transports, identity: new Uint8Array(31) }, 'identity: must be an Identity, see createIdentity(), or a seed of 32 bytes'],
    [{ transports, staticKey: new Uint8Array(31).fill(77) }, 'staticKey: must be a Uint8Array of 32 bytes'],
    [{ transports, provider: 1 }, 'provider: must be a CryptoProvider, not 1'],
    [{ transports, clock: 1, random: 2 }, 'clock: must be a Clock, not 1; random: must be a Random, not 2'],
  ])('%o: %s', (options, message) => {
    expect(refusal(options)).toBe(`invalid options: ${message}`);
  });

  test('a peer id with a wrong checksum is found', () => {
    const wrong = identity.peerId.slice(0, -1) + (identity.peerId.endsWith('q') ? 'p' : 'q');
    expect(refusal({ transports, peers: [`${wrong}@127.0.0.1:1`] })).toMatch(/^invalid options: peers\.0: /);
  });

  test('a network key is never shown', () => {
    const message = refusal({ transports, networkKey: 'a secret' });
    expect(message).toBe('invalid options: networkKey: must be a Uint8Array of at least 16 bytes');
    expect(refusal({ transports, networkKey: new Uint8Array(15).fill(77) })).not.toContain('77');
  });
});
