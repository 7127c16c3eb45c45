import { randomBytes } from 'node:crypto';
import type { ConnectOptions, NodeOptions } from '@matryoshka/node';
import { identityFromSeed, portableProvider } from '@matryoshka/session';
import { chainHost } from '../chain-host.ts';
import type { PeerProcess } from '../processes/peer-process.ts';
import type { ProcessGroup } from '../processes/process-group.ts';
import type { Preset, Setting } from '../scenario.ts';
import type { Line } from '../workloads.ts';
import type { NodePeerCommands, NodePlan } from './node-peer.ts';

/** More than is ever asked for here. */
const ALLOWANCE = { requestsPerSecond: 100_000, burst: 100_000, handshakes: 4096, links: 65_536 } as const;

/**
 * What differs from the defaults at relays and destinations: serving relay links is off until it is switched on, relays
 * dial loopback addresses for others only where that is allowed by name, and neither strangers nor unknown neighbours may
 * come and ask as often as they do here. None of it costs or saves work per byte or request.
 */
export const SERVING_NODE_OPTIONS = {
  relay: { enabled: true, allowDial: ['loopback'] },
  access: { exempt: ['127.0.0.0/8'], allowances: { unknown: ALLOWANCE, relayed: ALLOWANCE } },
} as const satisfies Partial<NodeOptions>;

export type NodePeer = PeerProcess<NodePeerCommands>;

/** How a connection gets to its destination; chosen: telescoped through relays that the originator chooses among all there are. */
export type Shape = 'direct' | 'relayed' | 'telescoped' | 'chosen';

/** Relays that there are to choose from. */
export const NETWORK_RELAYS = 12;

/** Nodes of ours in a row, from the originator (A) to the destination, and how A connects through them. */
export interface Chain {
  readonly nodes: readonly NodePeer[];
  readonly originator: NodePeer;
  readonly relays: readonly NodePeer[];
  readonly kind: Exclude<Shape, 'chosen'>;
  /** `peerId@host:port`. */
  readonly destination: string;
  readonly options: ConnectOptions;
}

/** A chain with the group of its processes. */
export interface OwnedChain extends Chain {
  readonly group: ProcessGroup;
}

/** A chain of this setting: with `--quick` one for all scenarios that want the same. */
export async function chainFor(setting: Setting, shape: Shape, hops: number): Promise<OwnedChain> {
  // The network is the same one, however many hops are chosen in it.
  if (shape === 'chosen') return { ...(await ownedChain(setting, shape, startNetwork)), options: { circuit: { hops } } };
  return ownedChain(setting, `${shape}-${hops}`, (group, starting) => startChain(group, shape, hops, starting));
}

function ownedChain(
  { group: own, preset, quick, shared }: Setting,
  name: string,
  start: (group: ProcessGroup, starting: StartOptions) => Promise<Chain>,
): Promise<OwnedChain> {
  const started = async (group: ProcessGroup): Promise<OwnedChain> => ({ group, ...(await start(group, { traffic: preset })) });
  return quick ? shared.get(`${name} ${preset}`, started) : started(own);
}

/** A connection through such a chain, ready for data. */
export async function lineFor(setting: Setting, shape: Shape, hops: number): Promise<Line> {
  const chain = await chainFor(setting, shape, hops);
  const open = (): Promise<Line> => opened(chain.group, chain);
  return setting.quick ? setting.shared.get(`${shape}-${hops} ${setting.preset} opened`, open) : open();
}

function startChain(group: ProcessGroup, shape: Exclude<Shape, 'chosen'>, hops: number, starting: StartOptions): Promise<Chain> {
  switch (shape) {
    case 'direct':
      return directChain(group, starting);
    case 'relayed':
      return relayedChain(group, hops, starting);
    case 'telescoped':
      return telescopedChain(group, hops, starting);
    default:
      return shape satisfies never;
  }
}

/** Two nodes. */
async function directChain(group: ProcessGroup, starting: StartOptions): Promise<Chain> {
  const { nodes, addresses } = await startNodes(group, 2, starting);
  return chainOf(nodes, addresses, 'direct', {});
}

/** A connection over two hops through a relay that has all limits on who may come, and where that relay is. */
export async function floodedChain({
  group,
  preset,
}: Setting): Promise<{ readonly line: Line; readonly relay: NodePeer; readonly place: { readonly host: string; readonly port: number } }> {
  const chain = await relayedChain(group, 2, { access: {}, traffic: preset });
  const relay = chain.relays[0] as NodePeer;
  const place = { host: chainHost(1), port: await group.watch(relay.call('port')) };
  return { line: await opened(group, chain), relay, place };
}

/** Relayed over so many hops: each relay has only the next one as its neighbour, so that there is one way to go. */
async function relayedChain(group: ProcessGroup, hops: number, starting: StartOptions): Promise<Chain> {
  const { nodes, addresses } = await startNodes(group, hops + 1, starting);
  const neighbours = nodes.slice(0, -2).map((node, i) => node.call('connect', addresses[i + 1] as string));
  await group.watch(Promise.all(neighbours));
  return chainOf(nodes, addresses, 'relayed', hops === 1 ? { hops } : { hops, gateway: addresses[1] as string });
}

/**
 * Telescoped over so many hops: the originator names every one, those behind the first with their static keys, as it has
 * them from descriptors where it chooses hops itself; only the connection to the first is there beforehand.
 */
async function telescopedChain(group: ProcessGroup, hops: number, starting: StartOptions): Promise<Chain> {
  const { nodes, addresses } = await startNodes(group, hops + 1, starting);
  const keyed = await group.watch(Promise.all(nodes.slice(2).map((node) => node.call('keyedAddress'))));
  const hopAddresses = [...addresses.slice(0, 2), ...keyed];
  const chain = chainOf(nodes, hopAddresses, 'telescoped', { path: hopAddresses.slice(1, -1) });
  await group.watch(chain.originator.call('connect', addresses[1] as string));
  return chain;
}

/**
 * Relays that know nothing of each other, a destination, and an originator that is connected to all relays and has their
 * descriptors from them. It keeps no circuit ready, so that each one is built when it is asked for.
 */
async function startNetwork(group: ProcessGroup, starting: StartOptions): Promise<Chain> {
  // Descriptors are exchanged with peers that are named beforehand.
  const seeds = Array.from({ length: NETWORK_RELAYS + 1 }, () => randomBytes(32));
  const [originatorId = '', ...relayIds] = seeds.map((seed): string => identityFromSeed(portableProvider, seed).peerId);
  const own = (index: number): NodePlan => ({
    ...(index < seeds.length && {
      identity: (seeds[index] as Buffer).toString('hex'),
      directory: { exchangeWith: index === 0 ? relayIds : [originatorId] },
    }),
    ...(index === 0 && { circuits: { ready: 0 } }),
  });
  const { nodes, addresses } = await startNodes(group, NETWORK_RELAYS + 2, { ...starting, own });
  const [originator, destination] = [nodes[0] as NodePeer, nodes.at(-1) as NodePeer];
  await group.watch(Promise.all(addresses.slice(1, -1).map((relay) => originator.call('connect', relay))));
  await group.watch(originator.call('descriptors', NETWORK_RELAYS));
  return chainOf(nodes, [...addresses.slice(0, -1), await group.watch(destination.call('keyedAddress'))], 'telescoped', {});
}

/** Opens the chain's connection: ready for data, with a check that every relay really carried it. */
async function opened(group: ProcessGroup, chain: Chain): Promise<Line> {
  const { originator, destination, options, kind, relays } = chain;
  const kindOpened = await group.watch(originator.call('open', destination, options));
  if (kindOpened !== kind) throw new Error(`the connection is ${kindOpened}, not ${kind}`);
  return { group, source: originator, check: pathCheck(group, relays) };
}

function chainOf(nodes: readonly NodePeer[], addresses: readonly string[], kind: Chain['kind'], options: ConnectOptions): Chain {
  const originator = nodes[0] as NodePeer;
  return { nodes, originator, relays: nodes.slice(1, -1), kind, destination: addresses.at(-1) as string, options };
}

interface StartOptions {
  /** Further options of Node for the processes. */
  readonly nodeOptions?: readonly string[];
  /** For every node, the originator as well. */
  readonly relay?: NodeOptions['relay'];
  /** For all that serve, instead of their own. */
  readonly access?: NodeOptions['access'];
  /** Of every node. */
  readonly traffic: Preset;
  /** What one node has besides, by its place. */
  readonly own?: (index: number) => NodePlan;
}

async function startNodes(
  group: ProcessGroup,
  count: number,
  { nodeOptions = [], relay = {}, access = SERVING_NODE_OPTIONS.access, traffic, own = () => ({}) }: StartOptions,
): Promise<{ readonly nodes: NodePeer[]; readonly addresses: string[] }> {
  const nodes = Array.from({ length: count }, (_, i) =>
    group.start<NodePeerCommands>(String.fromCodePoint(0x41 + i), new URL('node-peer.ts', import.meta.url), nodeOptions),
  );
  const starting = nodes.map((node, i) => {
    const shared = i === 0 ? { relay, traffic } : { relay: { ...SERVING_NODE_OPTIONS.relay, ...relay }, access, traffic };
    return node.call('start', chainHost(i), { ...shared, ...own(i) });
  });
  return { nodes, addresses: await group.watch(Promise.all(starting)) };
}

/** A figure counts only if the bytes went the way its name says: through every relay, in this round. */
function pathCheck(group: ProcessGroup, relays: readonly NodePeer[]): (bytes: number) => Promise<void> {
  let before = relays.map(() => 0);
  return async (bytes) => {
    const carried = await group.watch(Promise.all(relays.map((relay) => relay.call('carriedBytes'))));
    const idle = relays.filter((_, i) => (carried[i] as number) - (before[i] as number) < bytes).map(({ name }) => name);
    if (idle.length > 0) throw new Error(`the bytes did not go through ${idle.join(', ')}`);
    before = carried;
  };
}
