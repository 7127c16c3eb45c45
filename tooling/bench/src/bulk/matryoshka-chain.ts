import type { NodeOptions } from '@matryoshka/node';
import type { PeerProcess } from '../processes/peer-process.ts';
import type { ProcessGroup } from '../processes/process-group.ts';
import type { Contender } from '../scenario.ts';
import type { NodePeerCommands } from './node-peer.ts';
import { chainHost, measureTransfer } from './transfer.ts';

/**
 * What differs from the defaults at relays and destinations: serving relay links is off until it is switched on, and
 * relays dial loopback addresses for others only where that is allowed by name. Neither costs nor saves work per byte.
 */
export const SERVING_NODE_OPTIONS = { relay: { enabled: true, allowDial: ['loopback'] } } as const satisfies Partial<NodeOptions>;

type Node = PeerProcess<NodePeerCommands>;

interface Chain {
  readonly nodes: readonly Node[];
  /** `peerId@host:port` of each. */
  readonly addresses: readonly string[];
}

/** A relayed connection: each relay has only the next one as its neighbour, so that there is one way to go. */
export async function relayedChain(group: ProcessGroup, hops: number): Promise<Contender> {
  const chain = await startNodes(group, hops + 1);
  const { nodes, addresses } = chain;
  const neighbours = nodes.slice(0, -2).map((node, i) => node.call('connect', addresses[i + 1] as string));
  await group.watch(Promise.all(neighbours));
  return open(group, chain, 'relayed', { hops, gateway: addresses[1] as string });
}

/** A telescoped circuit: the originator names every hop; relays are not connected beforehand. */
export async function telescopedChain(group: ProcessGroup, hops: number): Promise<Contender> {
  const chain = await startNodes(group, hops + 1);
  return open(group, chain, 'telescoped', { path: chain.addresses.slice(1, -1) });
}

async function startNodes(group: ProcessGroup, count: number): Promise<Chain> {
  const nodes = Array.from({ length: count }, (_, i) =>
    group.start<NodePeerCommands>(String.fromCodePoint(0x41 + i), new URL('node-peer.ts', import.meta.url)),
  );
  const starting = nodes.map((node, i) => node.call('start', chainHost(i), i === 0 ? {} : SERVING_NODE_OPTIONS));
  return { nodes, addresses: await group.watch(Promise.all(starting)) };
}

async function open(
  group: ProcessGroup,
  { nodes, addresses }: Chain,
  kind: string,
  options: Parameters<NodePeerCommands['open']>[1],
): Promise<Contender> {
  const [originator, ...others] = nodes as [Node, ...Node[]];
  const opened = await group.watch(originator.call('open', addresses.at(-1) as string, options));
  if (opened !== kind) throw new Error(`the connection is ${opened}, not ${kind}`);
  const relays = others.slice(0, -1);
  return {
    group,
    measure: async (durationMs) => {
      const sample = await measureTransfer(group, originator, durationMs);
      await checkPath(group, relays, sample.bytes ?? 0);
      return sample;
    },
  };
}

/** A figure counts only if the bytes went the way its name says: through every relay. */
async function checkPath(group: ProcessGroup, relays: readonly Node[], bytes: number): Promise<void> {
  const forwarded = await group.watch(Promise.all(relays.map((relay) => relay.call('forwardedBytes'))));
  const idle = relays.filter((_, i) => (forwarded[i] as number) < bytes).map(({ name }) => name);
  if (idle.length > 0) throw new Error(`the bytes did not go through ${idle.join(', ')}`);
}
