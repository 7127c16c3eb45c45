import { type Random, randomBetween, randomItem } from '@matryoshka/session';
import { type CutOptions, seededRandom } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import type { Cover, Padding, TrafficSettings } from '../src/index.ts';
import { ALICE, BOB, type Channel, type Flow, NOTHING, Stage, StallingLink, channels } from './resume-stage.ts';

// Two sessions whose links are cut, silenced, tampered with and stalled at random, under random traffic both ways, against
// a model of one sentence: everything arrives, once, in order. A failing seed is named by its test, and replays.

const SEEDS = 50;

function drawTraffic(random: Random): TrafficSettings {
  const recordLength = randomBetween(random, 2048, 16_384);
  const paddings: readonly Padding[] = [{ kind: 'none' }, { kind: 'padme' }, { kind: 'random', maxBytes: 3000 }];
  const padding: Padding =
    randomBetween(random, 0, 1) === 0 ? { kind: 'constant', recordLength } : (randomItem(random, paddings) as Padding);
  const covers: readonly Cover[] = [{ kind: 'none' }, { kind: 'random', meanMs: randomBetween(random, 500, 5000) }];
  // Fast enough that all of it has gone out at the end.
  if (padding.kind === 'constant' && randomBetween(random, 0, 5) === 0)
    return { padding: { ...padding, recordLength: 4096 }, cover: { kind: 'constant-rate', intervalMs: 25 } };
  return { padding, cover: randomItem(random, covers) as Cover };
}

/** What one run does, one step after the other, all of it drawn from its seed. */
class Run {
  readonly stage: Stage;
  readonly #between: (low: number, high: number) => number;
  readonly #open: ReadonlyMap<'alice' | 'bob', () => Channel>;
  readonly #channels: Channel[] = [];
  readonly #resets = new Set<Channel>();
  readonly #notes = { alice: 0, bob: 0 };
  readonly links: StallingLink[];
  faults = 0;
  readonly #random: Random;

  constructor(stage: Stage, random: Random, links: StallingLink[]) {
    this.stage = stage;
    this.links = links;
    this.#random = random;
    this.#between = (low, high) => randomBetween(random, low, high);
    const [fromAlice, fromBob] = [channels(stage.bob), channels(stage.alice)];
    this.#open = new Map([
      ['alice', () => fromAlice(stage.session())],
      ['bob', () => fromBob(stage.other())],
    ]);
  }

  static async start(seed: number): Promise<Run> {
    const random = seededRandom(seed * 7919);
    const links: StallingLink[] = [];
    const kind = randomBetween(random, 0, 1) === 0 ? 'direct' : 'relayed';
    const stage = await Stage.connected(
      {
        seed,
        // Each message takes its own time: what was sent over one link may come after what was sent over the next.
        latencyMs: [randomBetween(random, 0, 20), randomBetween(random, 20, 150)],
        // They are many.
        watchBlocks: seed % 5 === 0,
        // Nothing here is to be given up, however long the run of bad luck.
        alice: { resume: { graceMs: 3_600_000, retainedBytes: randomBetween(random, 50_000, 4_000_000) }, traffic: drawTraffic(random) },
        bob: { resume: { graceMs: 3_600_000, retainedBytes: randomBetween(random, 50_000, 4_000_000) }, traffic: drawTraffic(random) },
        wrap: (link) => {
          const stalling = new StallingLink(link, kind);
          links.push(stalling);
          return stalling;
        },
      },
      { timeoutMs: 2000 },
    );
    return new Run(stage, random, links);
  }

  async step(): Promise<void> {
    const draw = this.#between(0, 99);
    if (draw < 8 && this.#channels.length < 8) this.#channels.push((this.#open.get(this.#side()) as () => Channel)());
    else if (draw < 45) this.#flow()?.send(this.#length(), false);
    else if (draw < 50) this.#flow()?.send(0, true);
    else if (draw < 60) this.#end()?.[this.#between(0, 2) === 0 ? 'pause' : 'resume']();
    else if (draw < 62) this.#reset();
    else if (draw < 75) this.#note(this.#side());
    else if (draw < 90) this.#fault();
    else if (draw < 92) this.#reshape();
    if (this.#between(0, 2) === 0) await this.stage.advance(this.#between(0, this.#between(0, 9) === 0 ? 3000 : 120));
  }

  check(): void {
    for (const { out, back } of this.#channels) {
      for (const flow of [out, back]) {
        expect(flow.wrong).toBe(0);
        expect(flow.received).toBeLessThanOrEqual(flow.written);
      }
    }
    expect([this.stage.session().sending, this.stage.other().sending, this.stage.bob.opened.length]).toEqual([true, true, 1]);
    // What is kept, sealed and sealed again, has a bound: 4 MB in slabs, and what old links still hold.
    expect(Math.max(this.stage.alice.slabs.out, this.stage.bob.slabs.out)).toBeLessThanOrEqual(36);
  }

  /** No more faults, everybody reads, everybody ends: all of it must arrive. */
  async finish(): Promise<void> {
    const { stage } = this;
    stage.world.network.unblock(ALICE, BOB.host);
    stage.world.network.unsilence(ALICE, BOB.host);
    this.links.at(-1)?.flow();
    await stage.advance(60_000);
    for (const { opened, accepted, out, back } of this.#channels) {
      opened?.resume();
      accepted?.resume();
      out.send(0, true);
      back.send(0, true);
    }
    await stage.advance(120_000);
    this.check();
    for (const channel of this.#channels) {
      const { out, back } = channel;
      expect([out.closedWith === null, back.closedWith === null]).toEqual([false, false]);
      if (this.#resets.has(channel)) continue;
      const state = ({ written, received, ended, closedWith }: Flow): unknown => ({ missing: written - received, ended, closedWith });
      expect([out, back].map(state)).toEqual([
        { missing: 0, ended: true, closedWith: undefined },
        { missing: 0, ended: true, closedWith: undefined },
      ]);
    }
    const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
    expect([stage.bob.notes, stage.alice.notes]).toEqual([upTo(this.#notes.alice), upTo(this.#notes.bob)]);
    stage.session().close();
    await stage.advance(1000);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  }

  #fault(): void {
    const { network } = this.stage.world;
    const { wire } = this.stage;
    const side = this.#between(0, 1) === 0 ? 'dialler' : 'listener';
    this.faults++;
    switch (this.#between(0, 8)) {
      case 0:
        // In the tick in which something is sent, and before its end.
        this.stage.world.clock.soon(() => {
          this.#note(this.#side());
          this.#flow()?.send(this.#length());
        });
        wire.cut();
        break;
      case 1:
        wire.cut(this.#cut(side));
        break;
      case 2:
        // Some time in the next attempts.
        this.#planned(side);
        break;
      case 3:
        wire.lose(side, { inFlight: this.#between(0, 1) === 0 });
        break;
      case 4: {
        network.block(ALICE, BOB.host);
        this.stage.world.clock.after(this.#between(0, 4000), () => network.unblock(ALICE, BOB.host));
        break;
      }
      case 5:
        network.silence(ALICE, BOB.host, this.#between(1, 4000));
        break;
      case 6:
        this.#tamper();
        break;
      case 7:
        this.#flood(side);
        break;
      default: {
        const link = this.links.at(-1);
        link?.stall();
        this.stage.world.clock.after(this.#between(0, 4000), () => link?.flow());
      }
    }
  }

  /** More than a link takes at once is lost, and the next links break before all of it can be sent again. */
  #flood(side: 'dialler' | 'listener'): void {
    const { stage } = this;
    stage.wire.lose(side);
    for (let flows = 2; flows > 0; flows--) this.#flow()?.send(this.#between(0, 800_000));
    stage.world.clock.after(this.#between(0, 200), () => {
      for (let links = this.#between(1, 3); links > 0; links--) this.#planned(side, 700_000);
      stage.wire.cut();
    });
  }

  #cut(side: 'dialler' | 'listener'): CutOptions {
    return {
      inFlight: this.#between(0, 1) === 0,
      toldMs: { [side]: this.#between(0, 3000) },
    };
  }

  /** One of the links to come breaks under a message. */
  #planned(side: 'dialler' | 'listener', most = 150_000): void {
    const byte = this.#between(0, this.#between(0, 1) === 0 ? 2500 : most);
    const options: CutOptions = { at: { side, byte }, ...this.#cut(side) };
    let wait = this.#between(0, 2);
    const stop = this.stage.world.network.watch((wire) => {
      if (wait-- > 0) return;
      stop();
      wire.cut(options);
    });
  }

  #tamper(): void {
    let wait = this.#between(0, 20);
    const at = this.#between(0, 70_000);
    const stop = this.stage.world.network.tap((_from, _to, message) => {
      if (wait-- > 0) return;
      stop();
      const index = at % message.length;
      message[index] = (message[index] as number) ^ 0x40;
    });
  }

  #channel(): Channel | undefined {
    return this.#channels.length === 0 ? undefined : this.#channels[this.#between(0, this.#channels.length - 1)];
  }

  #flow(): Flow | undefined {
    return this.#channel()?.[this.#between(0, 1) === 0 ? 'out' : 'back'];
  }

  #end(): Channel['opened'] {
    return this.#channel()?.[this.#between(0, 1) === 0 ? 'opened' : 'accepted'];
  }

  #reset(): void {
    const channel = this.#channel();
    const end = channel?.[this.#between(0, 1) === 0 ? 'opened' : 'accepted'];
    if (channel === undefined || end === undefined) return;
    this.#resets.add(channel);
    end.reset();
  }

  #note(by: 'alice' | 'bob'): void {
    const session = by === 'alice' ? this.stage.session() : this.stage.other();
    for (let count = this.#between(1, 30); count > 0; count--) {
      const port = BigInt(++this.#notes[by]);
      // Some are long enough to be cut where records have one length.
      if (count % 3 > 0) session.send({ type: 'relay-close', port, reason: 'closed' });
      else session.send({ type: 'relay-meet', port, window: 0, token: new Uint8Array(32), request: new Uint8Array(1280) });
    }
  }

  /** Somebody looks different from now on, whatever is on its way. */
  #reshape(): void {
    const session = this.#side() === 'alice' ? this.stage.session() : this.stage.other();
    session.traffic.update(drawTraffic(this.#random));
  }

  #length(): number {
    return this.#between(0, 2) === 0 ? this.#between(0, 400_000) : this.#between(0, 2000);
  }

  #side(): 'alice' | 'bob' {
    return this.#between(0, 1) === 0 ? 'alice' : 'bob';
  }
}

describe('two sessions whose links fail in every way', () => {
  let faults = 0;
  let resumes = 0;

  test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))('seed %i: everything arrives, once, in order', async (seed) => {
    const run = await Run.start(seed);
    for (let step = 0; step < 120; step++) {
      // The order is the point.
      // oxlint-disable-next-line no-await-in-loop
      await run.step();
      run.check();
    }
    await run.finish();
    faults += run.faults;
    resumes += run.stage.alice.events.filter((event) => event === 'resumed').length;
  });

  test('and they did fail', () => {
    expect([faults > 10 * SEEDS, resumes > 3 * SEEDS]).toEqual([true, true]);
  });
});
