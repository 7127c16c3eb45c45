import { setTimeout as delay } from 'node:timers/promises';
import type { RelayLinkStatus } from '@matryoshka/node';
import type { Worker } from '../processes/worker.ts';
import type { NodeCommands } from '../transfer/node-process.ts';

/** What has not forwarded a byte for this long does not carry the transfer, in milliseconds. */
const LOOK_MS = 50;

/** A relay of the run. */
export interface Relay {
  readonly worker: Worker<NodeCommands>;
  readonly peerId: string;
  readonly address: string;
}

/**
 * Those of `relays` over which bytes go to the node `peerId` right now, the first hop first: the one whose next hop is that
 * node, the one whose next hop is this one, and so on. However they were asked to: each knows its neighbours only.
 */
export async function carriersTo(peerId: string, relays: readonly Relay[]): Promise<readonly Relay[]> {
  const before = await Promise.all(relays.map(linksOf));
  await delay(LOOK_MS);
  const after = await Promise.all(relays.map(linksOf));
  const nextHops = after.map((links, index) => busy(before[index] as Links, links).map(({ nextHop }) => nextHop?.peerId));
  const carriers: Relay[] = [];
  for (let next = peerId; ;) {
    const carrier = relays.find((relay, index) => nextHops[index]?.includes(next) === true && !carriers.includes(relay));
    if (carrier === undefined) return carriers;
    carriers.unshift(carrier);
    next = carrier.peerId;
  }
}

type Links = readonly RelayLinkStatus[];

async function linksOf({ worker }: Relay): Promise<Links> {
  return (await worker.call('status')).relayLinks;
}

function busy(before: Links, after: Links): Links {
  const bytesBefore = new Map(before.map(({ port, bytesForward }) => [port, bytesForward]));
  return after.filter(({ port, bytesForward }) => bytesForward > (bytesBefore.get(port) ?? 0));
}
