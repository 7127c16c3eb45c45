import { SERVING_NODE_OPTIONS, type NodePeer } from '../matryoshka/chains.ts';
import type { NodePeerCommands } from '../matryoshka/node-peer.ts';
import type { PeerProcess } from '../processes/peer-process.ts';
import type { ProcessGroup } from '../processes/process-group.ts';
import { withCpu } from '../workloads.ts';
import type { Sample } from '../scenario.ts';
import type { LinkPeerCommands } from './link-peer.ts';

/** Links that one peer opens: a quarter of a relay's memory holds some more, for each peer. */
const LINKS_OF_A_PEER = 12_500;
/** Opening a link costs some 100 µs at each process. */
const OPEN_TIMEOUT_MS = 600_000;
const RELAY_HOST = '127.22.0.1';

type LinkPeer = PeerProcess<LinkPeerCommands>;

/** Who opens links, and who they end at: as many of each as it takes. */
interface Pair {
  readonly near: LinkPeer;
  readonly far: LinkPeer;
  readonly destination: string;
  links: number;
}

/** A relay with links through it, whose ends are in other processes and have no sessions inside. */
export class LinkChain {
  readonly group: ProcessGroup;
  readonly relay: NodePeer;
  readonly #pairs: readonly Pair[];

  private constructor(group: ProcessGroup, relay: NodePeer, pairs: readonly Pair[]) {
    this.group = group;
    this.relay = relay;
    this.#pairs = pairs;
  }

  /** Starts all processes for so many links. */
  static async start(group: ProcessGroup, links: number, nodeOptions: readonly string[] = []): Promise<LinkChain> {
    const relay = group.start<NodePeerCommands>('relay', new URL('../matryoshka/node-peer.ts', import.meta.url), nodeOptions);
    const address = await group.watch(relay.call('start', RELAY_HOST, SERVING_NODE_OPTIONS));
    const peer = (name: string): LinkPeer => group.start<LinkPeerCommands>(name, new URL('link-peer.ts', import.meta.url));
    const pair = async (number: number): Promise<Pair> => {
      const [near, far] = [peer(`near${number}`), peer(`far${number}`)];
      const [, destination] = await Promise.all([
        near.call('start', `127.${100 + number}.0.1`),
        far.call('start', `127.${200 + number}.0.1`),
      ]);
      await near.call('connect', address);
      return { near, far, destination, links: 0 };
    };
    const count = Math.ceil(links / LINKS_OF_A_PEER);
    return new LinkChain(group, relay, await group.watch(Promise.all(Array.from({ length: count }, (_, i) => pair(i)))));
  }

  /** Opens so many links more. @throws Error where the relay does not have them all */
  async open(links: number): Promise<void> {
    const each = Math.ceil(links / this.#pairs.length);
    const opening = this.#pairs.map(async (pair, i) => {
      const count = Math.min(each, links - i * each);
      await pair.near.callFor(OPEN_TIMEOUT_MS, 'open', pair.destination, count);
      pair.links += count;
    });
    await this.group.watch(Promise.all(opening));
    const opened = this.#pairs.reduce((sum, pair) => sum + pair.links, 0);
    const there = await this.group.watch(this.relay.call('relayLinks'));
    if (there !== opened) throw new Error(`the relay has ${there} relay links, not ${opened}`);
  }

  /** Sends on `links` of them for so long, messages of one of the lengths on each. The value is the payload in MB/s. */
  send(durationMs: number, links: number, lengths: readonly number[]): Promise<LinkSample> {
    // What is measured begins when all of them are under way.
    const aheadMs = durationMs / 2;
    let bytesPerLink: readonly number[] = [];
    const sample = async (): Promise<LinkSample> => {
      const sending = this.#pairs.map((pair) => pair.near.callFor(durationMs + aheadMs, 'send', durationMs + aheadMs, links, lengths));
      await new Promise((resolve) => setTimeout(resolve, aheadMs));
      const measured = await withCpu(this.group, async () => {
        const begunAt = performance.now();
        const before = await this.#received();
        await new Promise((resolve) => setTimeout(resolve, durationMs - (performance.now() - begunAt)));
        const after = await this.#received();
        const seconds = (performance.now() - begunAt) / 1000;
        bytesPerLink = after.bytes.map((each, i) => each - (before.bytes[i] ?? 0));
        const bytes = bytesPerLink.reduce((sum, each) => sum + each, 0);
        return { value: bytes / 1e6 / seconds, seconds, bytes, details: { messages: after.messages - before.messages } };
      });
      await Promise.all(sending);
      return { ...measured, bytesPerLink: bytesPerLink.slice(0, links) };
    };
    return this.group.watch(sample());
  }

  async #received(): Promise<{ readonly messages: number; readonly bytes: readonly number[] }> {
    const all = await Promise.all(this.#pairs.map((pair) => pair.far.call('received')));
    return { messages: all.reduce((sum, { messages }) => sum + messages, 0), bytes: all.flatMap(({ bytes }) => bytes) };
  }
}

/** A round of sending on many links. */
export interface LinkSample extends Sample {
  /** Of each link, in the order in which they arrived. */
  readonly bytesPerLink: readonly number[];
}
