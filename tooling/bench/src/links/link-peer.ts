import { setTimeout as delay } from 'node:timers/promises';
import type { Link, LinkHandler } from '@matryoshka/transport';
import { serveRole } from '../processes/role.ts';
import { LinkParty } from './link-party.ts';

// One end of many relay links: opens them and sends on them, or takes what comes.

/** What the role answers to. */
export interface LinkPeerCommands {
  /** Starts on `host`; returns where it is, as `peerId@host:port`. */
  start(host: string): Promise<string>;
  /** Connects to a relay. */
  connect(address: string): Promise<void>;
  /** Opens so many links more to `destination`. */
  open(destination: string, count: number): Promise<void>;
  /** Sends on the first `links` of them as much as they take, messages of one of the lengths on each, for so long. */
  send(durationMs: number, links: number, lengths: readonly number[]): Promise<void>;
  /** What has come so far, of each link that ended here. */
  received(): { readonly messages: number; readonly bytes: readonly number[] };
}

/** Links being opened at once. */
const PARALLEL = 32;

/** One that ended here: counts what comes. */
class Taker implements LinkHandler {
  bytes = 0;
  messages = 0;

  message(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.messages++;
  }

  written(): void {}
  writable(): void {}
  stalled(): void {}
  flowing(): void {}
  closed(): void {}
}

/** One that was opened here: sends the same message again and again while it is told to. */
class Sender extends Taker {
  readonly #link: Link;
  #parts: readonly Uint8Array[] | undefined;

  constructor(link: Link) {
    super();
    this.#link = link;
    link.attach(this);
  }

  begin(message: Uint8Array): void {
    this.#parts = [message];
    this.#pump();
  }

  end(): void {
    this.#parts = undefined;
  }

  override writable(): void {
    this.#pump();
  }

  #pump(): void {
    while (this.#parts !== undefined && this.#link.send(this.#parts));
  }
}

let party: LinkParty | undefined;
const takers: Taker[] = [];
const senders: Sender[] = [];

function started(): LinkParty {
  if (party === undefined) throw new Error('not started');
  return party;
}

serveRole<LinkPeerCommands>({
  start(host) {
    party = new LinkParty(host, () => {
      const taker = new Taker();
      takers.push(taker);
      return taker;
    });
    return party.listen(host);
  },
  connect: (address) => started().connect(address),
  async open(destination, count) {
    let left = count;
    const openSome = async (): Promise<void> => {
      while (left-- > 0) {
        // oxlint-disable-next-line no-await-in-loop
        senders.push(new Sender(await started().open(destination)));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, openSome));
  },
  async send(durationMs, links, lengths) {
    const messages = lengths.map((length) => new Uint8Array(length));
    const sending = senders.slice(0, links);
    for (const [i, sender] of sending.entries()) sender.begin(messages[i % messages.length] as Uint8Array);
    await delay(durationMs);
    for (const sender of sending) sender.end();
  },
  received: () => ({
    messages: takers.reduce((sum, taker) => sum + taker.messages, 0),
    bytes: takers.map(({ bytes }) => bytes),
  }),
});
