import * as z from 'zod';
import { SERVICE_KEYS } from '../services/service-keys.ts';
import { APP_KEYS } from './app-keys.ts';
import { type ConfigKey, flag, nodeKey, number, text, textOrTable, texts } from './config-key.ts';

const LIVE = { live: true } as const;

/** Of one kind of neighbour: what it may ask of this relay. */
function allowance(kind: string, who: string): readonly ConfigKey[] {
  const path = `access.allowances.${kind}`;
  return [
    nodeKey(`${path}.requestsPerSecond`, number, `Relay requests per second of ${who}.`, LIVE),
    nodeKey(`${path}.burst`, number, `Relay requests at once, after a rest, of ${who}.`, LIVE),
    nodeKey(`${path}.handshakes`, number, `Relay links being opened at once of ${who}.`, LIVE),
    nodeKey(`${path}.links`, number, `Relay links open at once of ${who}.`, LIVE),
  ] as readonly ConfigKey[];
}

/** Of relay links that are forwarded: each of them, or all of a peer or of the node together. */
function limits(level: string, what: string): readonly ConfigKey[] {
  const path = `relay.limits.${level}`;
  return [
    nodeKey(`${path}.bytesPerSecond`, number, `Bytes per second of ${what}; 0: no limit, as for all limits.`, LIVE),
    nodeKey(`${path}.maxBytes`, number, `Bytes in all of ${what}${level === 'link' ? '' : ', in `relay.limits.periodMs`'}.`, LIVE),
    nodeKey(`${path}.maxAgeMs`, number, `Age of ${level === 'link' ? what : `each of ${what}`}, in milliseconds.`, LIVE),
    ...(level === 'link' ? [] : [nodeKey(`${path}.links`, number, `How many there may be of ${what}.`, LIVE)]),
  ] as readonly ConfigKey[];
}

/**
 * Everything that can be configured. Options of the node have the paths they have there, so that one more of them is one
 * more line here; a test says when one is missing.
 */
export const CONFIG_KEYS: readonly ConfigKey[] = [
  nodeKey('listen', texts, 'Where to listen, as host:port or ws://host:port; port 0 for any free one.'),
  nodeKey('peers', texts, 'Peers to stay connected to, as peerId@host:port; known peers may ask more of a relay.'),
  nodeKey('acceptAnonymous', flag, 'Whether peers that show no identity are welcome; circuits of others need it on relays.', LIVE),
  nodeKey('handshakeTimeoutMs', number, 'How long a handshake may take, in milliseconds.'),
  nodeKey('maxHandshakes', number, 'Handshakes in progress at once.', LIVE),
  nodeKey('suite', text, 'AEAD of the sessions this node opens, chacha20poly1305 or aes256gcm; by default the one that is faster here.'),

  nodeKey(
    'traffic',
    textOrTable,
    'How much sizes and times show to others: plain, standard, private, or a table with padding and cover.',
    LIVE,
  ),

  nodeKey('relay.enabled', flag, 'Whether relay links are served: forwarded for others, and accepted as their destination.', LIVE),
  nodeKey('relay.forward', flag, 'Whether relay links are forwarded for others; without it this node is only their destination.'),
  nodeKey('relay.relayPorts', text, 'Whether a relay link that is forwarded keeps its number (end-to-end) or gets a new one (per-hop).'),
  nodeKey('relay.tags', z.record(z.string(), texts), 'What the routing policy shall know of peers: words of your own by peer id.'),
  nodeKey('relay.dangerouslyOfferExcluded', flag, 'Offers the routing policy also neighbours that share a network with others on the way.'),
  nodeKey('relay.registerWith', texts, 'Relays to be reached through, as peerId@host:port, for a node that can only dial out.'),
  nodeKey('relay.maxRegistrations', number, 'Peers that may be reached through this node.'),
  nodeKey('relay.allowDial', texts, 'Kinds of addresses besides global ones that are dialled for others, e.g. loopback, private.'),
  nodeKey(
    'relay.ipv4ExcludedNetworksCidrLeadingBits',
    number,
    'Leading bits that make two IPv4 addresses one network, when relays choose the next hop.',
  ),
  nodeKey('relay.ipv6ExcludedNetworksCidrLeadingBits', number, 'The same for IPv6.'),
  nodeKey('relay.relayMemoryBytes', number, 'Bound of all memory for relayed bytes.'),
  ...limits('link', 'a relay link that is forwarded'),
  ...limits('peer', 'the relay links that are forwarded for one peer'),
  ...limits('node', 'all relay links that are forwarded'),
  nodeKey('relay.limits.periodMs', number, 'After this time the bytes of peers, and of the node, are there again, in milliseconds.', LIVE),

  nodeKey('resume.graceMs', number, 'How long a connection whose link broke waits for another one, in milliseconds; 0: not at all.'),
  nodeKey('resume.retainedBytes', number, 'Bytes kept of one connection until the other side has them.'),
  nodeKey(
    'resume.stallMs',
    number,
    'How long a relayed connection waits on an interrupted path before it looks for another, in milliseconds.',
  ),
  nodeKey('resume.maxSuspended', number, 'Connections that may wait for another link at once.'),
  nodeKey('resume.maxSuspendedPerNetwork', number, 'Those of one source network.'),
  nodeKey('resume.maxSuspendedPerPeer', number, 'Those of one peer.'),

  nodeKey('access.allow', texts, 'Networks that may connect, e.g. 10.0.0.0/8; none: all.', LIVE),
  nodeKey('access.deny', texts, 'Networks that may not connect; denying wins over allowing.', LIVE),
  nodeKey('access.allowPeers', texts, 'The only peers that may open connections to this node, by id; without it all.', LIVE),
  nodeKey('access.denyPeers', texts, 'Peers that may not; denying wins over allowing.', LIVE),
  nodeKey('access.hidden', flag, 'Answers only those who know the static key of this node; for all others nothing seems to listen.', LIVE),
  nodeKey('access.exempt', texts, 'Networks that the limits per source network do not apply to.', LIVE),
  nodeKey('access.ipv4SourceBits', number, 'Leading bits that make two IPv4 addresses one source network for limits.', LIVE),
  nodeKey('access.ipv6SourceBits', number, 'The same for IPv6.', LIVE),
  nodeKey('access.maxConnections', number, 'Accepted connections open at once.', LIVE),
  nodeKey('access.maxConnectionsPerNetwork', number, 'Those of one source network.', LIVE),
  nodeKey('access.attemptsPerSecond', number, 'How often one source network may connect, per second.', LIVE),
  nodeKey('access.attemptBurst', number, 'How often at once, after a rest.', LIVE),
  ...allowance('unknown', 'neighbours that are not among `peers`, all of one source network together'),
  ...allowance('known', 'each neighbour that is among `peers`'),
  ...allowance('relayed', 'each connection that came over a relay link'),
  nodeKey('access.reputation.recoverPerMinute', number, 'Reputation that a neighbour gets back per minute, of 100.', LIVE),
  nodeKey('access.reputation.refuseBelow', number, 'Requests of neighbours with less reputation are refused.', LIVE),
  nodeKey('access.reputation.closeBelow', number, 'Connections of peers with less reputation are closed.', LIVE),

  nodeKey('circuits.entryGuards', number, 'First hops of circuits that are kept for months; 0: a new one for each circuit.'),
  nodeKey('circuits.ready', number, 'Circuits kept ready once one was asked for.'),
  nodeKey('circuits.maxAgeMs', number, 'An older circuit is used for nothing new, in milliseconds.'),
  nodeKey('circuits.maxBytes', number, 'Nor is one through which more has gone, in bytes; 0: no limit.'),
  nodeKey('circuits.parallelBuilds', number, 'Builds that may run side by side for one circuit, 1 or 2.'),

  nodeKey('directory.exchangeWith', texts, 'Ids of the peers that descriptors are exchanged with; those of `peers` by default.'),
  nodeKey('directory.publish', flag, 'Whether this node gives them a descriptor of its own; by default while it forwards relay links.'),
  nodeKey('directory.endpoints', texts, 'Addresses and ports that others reach this node at; by default where it listens.'),
  nodeKey('directory.operator', text, 'Who runs this node: one name for all nodes of one operator.'),
  nodeKey('directory.bandwidthBytesPerSecond', number, 'What this node can carry in all, in bytes per second.'),
  nodeKey('directory.lifetimeMs', number, 'How long its descriptor is good for without it, in milliseconds.'),
  nodeKey('directory.intervalMs', number, 'How long to wait between two exchanges with a peer without news, in milliseconds.'),

  ...SERVICE_KEYS,
  ...APP_KEYS,
] as readonly ConfigKey[];

const BY_PATH: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((key) => [key.path, key]));

export function configKey(path: string): ConfigKey | undefined {
  return BY_PATH.get(path);
}

/** Whether there are keys in the section `path`. */
export function isSection(path: string): boolean {
  return CONFIG_KEYS.some((key) => key.path.startsWith(`${path}.`));
}

/** What may stand in the section `path`, the whole of it being the empty path: names of keys and of sections. */
export function namesIn(path: string): readonly string[] {
  const prefix = path === '' ? '' : `${path}.`;
  const names = CONFIG_KEYS.filter((key) => key.path.startsWith(prefix)).map((key) => key.path.slice(prefix.length).split('.')[0]);
  return [...new Set(names)] as string[];
}

/** The environment variable of a key: `relay.enabled` is `MATRYOSHKA_RELAY_ENABLED`. */
export function variableOf({ path }: Pick<ConfigKey, 'path'>): string {
  return `MATRYOSHKA_${path
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

/** The JSON Schema of a value, for documents. */
export function valueSchema({ schema }: Pick<ConfigKey, 'schema'>): object {
  return z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' });
}
