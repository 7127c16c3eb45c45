import type { Session } from '@matryoshka/peer';
import type { RecordWriter } from '@matryoshka/session';
import { SimulatedClock } from '@matryoshka/simulation';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Account } from './account.ts';
import { CreditPool } from './credit-pool.ts';
import { Egress } from './egress.ts';
import { IdleCredit } from './idle-credit.ts';
import { Inbox } from './inbox.ts';
import { INITIAL_RELAY_WINDOW_BYTES, MAX_RELAY_WINDOW_BYTES, MIN_RELAY_WINDOW_BYTES, RelayWindow } from './relay-window.ts';

/** An egress whose session takes all it gets, and hands its pieces to `sent`. */
function sender(
  credit: number,
  idle: IdleCredit,
  sent: (piece: { more: boolean; bytes: Uint8Array }) => void,
  back: (bytes: number) => void,
) {
  let more = false;
  const writer = {
    carriedSpace: 65_503,
    pending: false,
    relayData: (_high: number, _low: number, flag: boolean) => (more = flag),
    carried: (bytes: Uint8Array) => sent({ more, bytes: bytes.slice() }),
  };
  const outbox = {
    turn: () => undefined,
    ready: () => {
      while (egress.pull(writer as unknown as RecordWriter));
    },
    remove: () => {},
    drained: () => {},
  };
  const host = { consumed: () => {}, unitSent: () => {}, drained: () => {}, giveBack: back };
  const egress: Egress = new Egress({ outbox } as unknown as Session, 1n, credit, host, idle);
  egress.open();
  return egress;
}

/** Sends messages of the given lengths through a window; returns the lengths that arrive. */
function through(size: number, lengths: readonly number[]): readonly number[] {
  const got: number[] = [];
  const pieces: { more: boolean; bytes: Uint8Array }[] = [];
  const window = new RelayWindow(new CreditPool(), size, undefined);
  const egress = sender(
    size,
    new IdleCredit(new SimulatedClock()),
    (piece) => pieces.push(piece),
    () => {},
  );
  const inbox = new Inbox(window, {
    grant: () => egress.credited(window.announce(0, 0)),
    misused: (error) => {
      throw error;
    },
  });
  for (const length of lengths) egress.lend([new Uint8Array(length)], false);
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift())
    inbox.data(piece.bytes, piece.more, (message) => got.push(message.length));
  return got;
}

/** A window of which every byte is used as soon as it is granted, every so often, for so long. */
function used(pool: CreditPool, everyMs: number, roundTripMs: number, durationMs: number, bytes = Number.POSITIVE_INFINITY): RelayWindow {
  const window = pool.take() as RelayWindow;
  let sent = 0;
  for (let nowMs = 0; nowMs < durationMs; nowMs += everyMs) {
    const length = Math.min(bytes, window.granted - sent);
    window.receive(length);
    sent += length;
    if (window.consume(length)) window.announce(nowMs, roundTripMs);
  }
  return window;
}

describe('window of a relay link', () => {
  test('is announced again when half of it is used, a small one each time', () => {
    const large = new RelayWindow(new CreditPool(), 8192, undefined);
    large.receive(8192);
    expect(large.consume(4095)).toBe(false);
    expect(large.consume(1)).toBe(true);
    expect(large.announce(0, 0)).toBe(12_288);
    const small = new RelayWindow(new CreditPool(), 2048, undefined);
    small.receive(1);
    expect(small.consume(1)).toBe(true);
    expect(small.announce(0, 0)).toBe(2049);
  });

  test('never starves its sender, however small it is: any messages get through any window', () => {
    const length = fc.oneof(
      fc.integer({ min: 1, max: 65_535 }),
      fc.integer({ min: 1, max: 2100 }),
      fc.constantFrom(2047, 2048, 2049, 4095, 4096),
    );
    const window = fc.oneof(
      fc.integer({ min: MIN_RELAY_WINDOW_BYTES, max: 5000 }),
      fc.integer({ min: MIN_RELAY_WINDOW_BYTES, max: MAX_RELAY_WINDOW_BYTES }),
    );
    fc.assert(
      fc.property(window, fc.array(length, { maxLength: 12 }), (size, lengths) => {
        expect(through(size, lengths)).toEqual(lengths);
      }),
    );
  });

  test('grows while its sender waits for credit, to twice bandwidth × delay and no further', () => {
    // All of it in each round trip of 20 ms: as fast as credit allows.
    expect(used(new CreditPool(), 20, 20, 2000).size).toBe(MAX_RELAY_WINDOW_BYTES);
    // 8 KiB in each: 8 Mbit/s need 40 KiB at most.
    expect(used(new CreditPool(), 20, 20, 2000, 8192).size).toBe(INITIAL_RELAY_WINDOW_BYTES);
    // 64 KiB in each need about 300 KiB.
    expect(used(new CreditPool(), 20, 20, 5000, 65_536).size).toBe(512 * 1024);
  });

  test('shrinks again when little of it is used, and when others need the pool', () => {
    const pool = new CreditPool();
    const window = used(pool, 20, 20, 2000);
    let sent = window.granted - window.size;
    const trickle = (times: number): void => {
      for (let i = 0; i < times; i++) {
        const length = Math.min(10_000, window.granted - sent);
        window.receive(length);
        sent += length;
        if (window.consume(length)) window.announce(10_000 + 1000 * i, 20);
      }
    };
    expect(window.size).toBe(MAX_RELAY_WINDOW_BYTES);
    trickle(3000);
    expect(window.size).toBe(INITIAL_RELAY_WINDOW_BYTES);
    while (pool.take() !== undefined);
    trickle(100);
    // Messages of 16 KiB still pass whole.
    expect(window.size).toBe(32 * 1024);
  });

  test('what is given back is counted as sent and consumed; the rest is the smallest window', () => {
    const pool = new CreditPool();
    const window = pool.take() as RelayWindow;
    window.receive(5000);
    expect(window.consume(5000)).toBe(false);
    expect(window.returned(INITIAL_RELAY_WINDOW_BYTES - 5000 - MIN_RELAY_WINDOW_BYTES)).toBe(false);
    expect([window.size, pool.takenBytes, window.granted]).toEqual([
      MIN_RELAY_WINDOW_BYTES,
      MIN_RELAY_WINDOW_BYTES,
      INITIAL_RELAY_WINDOW_BYTES,
    ]);
    expect(() => window.returned(MIN_RELAY_WINDOW_BYTES + 1)).toThrow(expect.objectContaining({ code: 'session.credit-exceeded' }));
  });

  test('whoever gives back all of it asks for more, and gets what there was at first', () => {
    const window = new CreditPool().take() as RelayWindow;
    expect(window.returned(INITIAL_RELAY_WINDOW_BYTES)).toBe(true);
    expect(window.announce(0, 0)).toBe(2 * INITIAL_RELAY_WINDOW_BYTES);
  });

  test('and a window that had grown is as large again, where its share is', () => {
    const pool = new CreditPool();
    const window = used(pool, 20, 20, 2000);
    expect(window.size).toBe(MAX_RELAY_WINDOW_BYTES);
    window.returned(window.size - MIN_RELAY_WINDOW_BYTES);
    expect(window.size).toBe(MIN_RELAY_WINDOW_BYTES);
    window.returned(MIN_RELAY_WINDOW_BYTES);
    expect(window.size).toBe(MAX_RELAY_WINDOW_BYTES);
    window.announce(5000, 20);
    window.returned(window.size - MIN_RELAY_WINDOW_BYTES);
    while (pool.take() !== undefined);
    window.returned(MIN_RELAY_WINDOW_BYTES);
    expect(window.size).toBe(MIN_RELAY_WINDOW_BYTES);
  });

  test('what waits here is not given back with the rest', () => {
    const window = new CreditPool().take() as RelayWindow;
    window.receive(20_000);
    window.returned(INITIAL_RELAY_WINDOW_BYTES - 20_000 - MIN_RELAY_WINDOW_BYTES);
    expect(window.size).toBe(32_768);
    window.consume(20_000);
    expect(window.size).toBe(32_768);
  });
});

describe('credit of a relay link', () => {
  /** Both ends of one direction, and what is on its way between them: data and returns in order, credit that a resume may lose. */
  class Ends {
    readonly window: RelayWindow;
    readonly egress: Egress;
    readonly forward: ({ bytes: number } | { returned: number })[] = [];
    readonly backward: number[] = [];
    /** Pieces that were not the last of their message. */
    cuts = 0;
    sent = 0;
    received = 0;
    waiting = 0;
    arrived = 0;
    readonly #clock: SimulatedClock;

    constructor(clock: SimulatedClock, idle: IdleCredit, window: RelayWindow) {
      this.#clock = clock;
      this.window = window;
      this.egress = sender(
        window.size,
        idle,
        ({ more, bytes }) => {
          this.forward.push({ bytes: bytes.length });
          if (more) this.cuts++;
        },
        (returned) => this.forward.push({ returned }),
      );
    }

    send(length: number): void {
      this.sent += length;
      this.egress.lend([new Uint8Array(length)], false);
    }

    receive(): void {
      const message = this.forward.shift();
      if (message === undefined) return;
      if ('returned' in message) {
        if (this.window.returned(message.returned)) this.#grant();
        this.received += message.returned;
        return;
      }
      this.window.receive(message.bytes);
      this.waiting += message.bytes;
      this.received += message.bytes;
      this.arrived += message.bytes;
    }

    consume(bytes: number): void {
      const length = Math.min(bytes, this.waiting);
      this.waiting -= length;
      if (length > 0 && this.window.consume(length)) this.#grant();
    }

    credit(): void {
      const total = this.backward.shift();
      if (total !== undefined) this.egress.credited(total);
    }

    /** What is numbered comes all the same; the newest credit is told again. */
    resume(): void {
      this.backward.length = 0;
      this.backward.push(this.window.granted);
    }

    #grant(): void {
      this.backward.push(this.window.announce(this.#clock.now(), 20));
    }
  }

  test.each([
    // Enough for the window to grow by itself, which is less than the pieces that the first one allowed.
    [1500, 60],
    [1900, 30],
    [600, 100],
  ])('a sender that begins again with little, %i bytes at a time, and then has much more gets through', async (length, everyMs) => {
    const clock = new SimulatedClock();
    for (const poolBytes of [1, 4, 16, 256].map((mib) => mib * 1024 * 1024)) {
      const window = new CreditPool(poolBytes).take(new Account()) as RelayWindow;
      const ends = new Ends(clock, new IdleCredit(clock), window);
      const pass = (): void => {
        ends.receive();
        ends.consume(1e9);
        ends.credit();
      };
      // oxlint-disable-next-line no-await-in-loop
      await clock.advance(3000);
      pass();
      expect(window.size).toBe(MIN_RELAY_WINDOW_BYTES);
      for (let i = 0; i < 5; i++) {
        ends.send(length);
        pass();
        // oxlint-disable-next-line no-await-in-loop
        await clock.advance(everyMs);
      }
      ends.send(60_000);
      for (let i = 0; i < 200; i++) pass();
      expect(ends.arrived).toBe(ends.sent);
    }
  });

  test('credit that was on its way is not the answer to whoever asks for more', async () => {
    const clock = new SimulatedClock();
    const ends = new Ends(clock, new IdleCredit(clock), new CreditPool().take() as RelayWindow);
    ends.send(4112);
    ends.receive();
    // It is idle while its unit waits on the other side, which has less to grant for that reason.
    await clock.advance(3000);
    ends.receive();
    expect(ends.window.size).toBe(8192);
    ends.consume(4112);
    for (let i = 0; i < 13; i++) ends.send(4112);
    for (let i = 0; i < 100; i++) {
      ends.credit();
      ends.receive();
      ends.consume(4112);
      // oxlint-disable-next-line no-await-in-loop
      await clock.advance(10);
    }
    expect([ends.arrived, ends.cuts]).toEqual([14 * 4112, 0]);
    expect(ends.window.size).toBeGreaterThan(8192);
  });

  test('property: units up to 16 KiB are never cut while the pool has room, and get through', async () => {
    const step = fc.constantFrom('send', 'send', 'receive', 'receive', 'consume', 'credit', 'credit', 'idle', 'resume');
    const unit = fc.oneof(fc.integer({ min: 1, max: 16_384 }), fc.constantFrom(2048, 4112, 8192, 16_384));
    // Of one size, as in the `private` preset, or of several.
    const units = fc.array(unit, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(units, fc.array(step, { maxLength: 100 }), async (lengths, steps) => {
        const clock = new SimulatedClock();
        const ends = new Ends(clock, new IdleCredit(clock), new CreditPool().take() as RelayWindow);
        for (const [i, what] of steps.entries()) {
          const length = lengths[i % lengths.length] as number;
          if (what === 'send') ends.send(length);
          else if (what === 'consume') ends.consume(length);
          // oxlint-disable-next-line no-await-in-loop
          else if (what === 'idle') await clock.advance(2000);
          else ends[what]();
        }
        // More than the smallest windows let through.
        for (let i = 0; i < 20; i++) ends.send(lengths[i % lengths.length] as number);
        for (let i = 0; i < 2000 && ends.arrived < ends.sent; i++) {
          ends.receive();
          ends.consume(1e9);
          ends.credit();
        }
        expect([ends.arrived, ends.cuts]).toEqual([ends.sent, 0]);
      }),
      { numRuns: 500 },
    );
  });

  test('property: no sender exceeds it, both ends agree, and nothing is lost of the pool, in whatever order all of it happens', async () => {
    const step = fc.record({
      what: fc.constantFrom('send', 'send', 'receive', 'receive', 'receive', 'consume', 'credit', 'credit', 'pass', 'resume'),
      link: fc.nat(2),
      amount: fc.oneof(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 3000 })),
    } as const);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 30_000, max: 4_000_000 }), fc.array(step, { maxLength: 300 }), async (poolBytes, steps) => {
        const clock = new SimulatedClock();
        const idle = new IdleCredit(clock);
        const pool = new CreditPool(poolBytes);
        const account = new Account();
        const links: Ends[] = [];
        for (const owner of [account, account, undefined]) {
          const window = pool.take(owner);
          if (window !== undefined) links.push(new Ends(clock, idle, window));
        }
        const check = (): void => {
          expect(pool.takenBytes).toBe(links.reduce((sum, { window }) => sum + window.size, 0));
          expect(pool.takenBytes).toBeLessThanOrEqual(poolBytes);
          expect(account.creditBytes).toBeLessThanOrEqual(poolBytes / 4);
          // What may still come and what waits is covered by what is held of the pool.
          for (const { window, waiting, received } of links) expect(window.granted - received + waiting).toBeLessThanOrEqual(window.size);
        };
        for (const { what, link, amount } of steps) {
          const ends = links[link % links.length];
          if (ends === undefined) break;
          if (what === 'send') ends.send(amount);
          else if (what === 'consume') ends.consume(amount);
          else if (what === 'pass')
            // oxlint-disable-next-line no-await-in-loop
            await clock.advance(amount % 3000);
          else ends[what]();
          check();
        }
        // All gets through in the end, and then idle links hold the smallest window only.
        for (let i = 0; i < 2000; i++) {
          for (const ends of links) {
            ends.receive();
            ends.consume(1e9);
            ends.credit();
          }
          // oxlint-disable-next-line no-await-in-loop
          if (i % 100 === 0) await clock.advance(1000);
          check();
        }
        for (const { arrived, sent, egress, window, received } of links) {
          expect(arrived).toBe(sent);
          expect(egress.sentBytes).toBe(sent);
          expect(window.size).toBe(MIN_RELAY_WINDOW_BYTES);
          expect(window.granted - received).toBeLessThanOrEqual(MIN_RELAY_WINDOW_BYTES);
          window.release();
        }
        expect([pool.takenBytes, account.creditBytes, idle.size]).toEqual([0, 0, 0]);
      }),
      { numRuns: 60 },
    );
  });
});
