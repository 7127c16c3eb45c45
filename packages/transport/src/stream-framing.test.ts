import { portableProvider } from '@matryoshka/session';
import { MatryoshkaError } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../test/seeded-random.ts';
import { FRAME_HEADER_LENGTH, writeFrameHeader } from './frame-decoder.ts';
import { FramingContext, StreamFraming } from './stream-framing.ts';

const FORWARD = new Uint8Array(32).fill(1);
const BACKWARD = new Uint8Array(32).fill(2);
const NETWORK_KEY = new Uint8Array(16).fill(3);

interface Pair {
  readonly alice: StreamFraming;
  readonly bob: StreamFraming;
}

function pair(seed: number): Pair {
  const context = new FramingContext({ provider: portableProvider, random: seededRandom(seed), networkKey: NETWORK_KEY });
  return { alice: new StreamFraming(context, 'dialling'), bob: new StreamFraming(context, 'accepting') };
}

function veiled(framing: StreamFraming, message: Uint8Array): Uint8Array {
  return framing.veil([message], message.length);
}

function masked(framing: StreamFraming, message: Uint8Array): Uint8Array {
  const { maskOut } = framing;
  if (maskOut === undefined) throw new Error('not protected yet');
  const bytes = new Uint8Array(FRAME_HEADER_LENGTH + message.length);
  writeFrameHeader(bytes, 0, message.length, maskOut);
  bytes.set(message, FRAME_HEADER_LENGTH);
  return bytes;
}

/** Feeds `bytes` in pieces; `taken` hears of each message as its owner would. */
function feed(framing: StreamFraming, bytes: Uint8Array, cuts: readonly number[], taken: (message: Uint8Array) => void): void {
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  let from = 0;
  for (const to of places) {
    // One buffer for all reads, overwritten by the next.
    const chunk = bytes.slice(from, to);
    framing.feed(chunk);
    for (let message = framing.next(); message !== undefined; message = framing.next()) taken(message.slice());
    framing.keep();
    chunk.fill(0xee);
    from = to;
  }
}

/** Both sides after request and answer; Alice's opening is what she sends next. */
function answered(seed: number): Pair {
  const { alice, bob } = pair(seed);
  feed(bob, veiled(alice, new Uint8Array(1280)), [], () => {});
  feed(alice, veiled(bob, new Uint8Array(1344)), [], () => {});
  return { alice, bob };
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });
const records = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 6 });

describe('a byte stream in both directions (docs/protocol.md §2)', () => {
  test('carries a handshake and then records, however it is split, also where all of it comes together', () => {
    fc.assert(
      fc.property(fc.nat(), records, records, cuts, (seed, forward, backward, where) => {
        const { alice, bob } = answered(seed);
        const opening = new Uint8Array(384).fill(7);
        const fromAlice = [veiled(alice, opening)];
        alice.protect(FORWARD, BACKWARD);
        for (const record of forward) fromAlice.push(masked(alice, record));
        const gotByBob: Uint8Array[] = [];
        feed(bob, new Uint8Array(Buffer.concat(fromAlice)), where, (message) => {
          if (gotByBob.push(message) === 1) bob.protect(BACKWARD, FORWARD);
        });
        expect(gotByBob).toEqual([opening, ...forward]);

        const gotByAlice: Uint8Array[] = [];
        const fromBob = backward.map((record) => masked(bob, record));
        feed(alice, new Uint8Array(Buffer.concat(fromBob)), where, (message) => void gotByAlice.push(message));
        expect(gotByAlice).toEqual(backward);
      }),
      { numRuns: 60 },
    );
  });

  test('with any bit of a handshake changed gives what came before it, and then an error or nothing more', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 7 }), cuts, (seed, position, bit, where) => {
        const { alice, bob } = pair(seed);
        const messages = [new Uint8Array(1280).fill(1), new Uint8Array(384).fill(2)];
        const flights = messages.map((message) => veiled(alice, message));
        const bytes = new Uint8Array(Buffer.concat(flights));
        const at = position % bytes.length;
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        const got: Uint8Array[] = [];
        let failure: unknown;
        try {
          feed(bob, bytes, where, (message) => void got.push(message));
        } catch (error) {
          failure = error;
        }
        expect(got).toEqual(at < (flights[0] as Uint8Array).length ? [] : messages.slice(0, 1));
        if (failure !== undefined) expect(failure).toBeInstanceOf(MatryoshkaError);
        else expect(bob.incomplete).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('of garbage never gives anything, and keeps little of it', () => {
    const random = seededRandom(9);
    for (let i = 0; i < 300; i++) {
      const { bob } = pair(i);
      const garbage = new Uint8Array(6000);
      random.fill(garbage);
      let failed = false;
      try {
        feed(bob, garbage, [16, 17, 18, 500], () => expect.unreachable());
      } catch (error) {
        failed = true;
        expect(['transport.frame-length', 'transport.protocol']).toContain((error as MatryoshkaError).code);
      }
      // 6,000 bytes are more than the longest frame there can be.
      expect(failed).toBe(true);
    }
  });

  test('has lengths of up to 4,112 bytes until it is protected, then of up to 65,535', () => {
    const { alice, bob } = answered(1);
    veiled(alice, new Uint8Array(384));
    expect(() => veiled(alice, new Uint8Array(2048))).toThrow(RangeError);
    alice.protect(FORWARD, BACKWARD);
    bob.protect(BACKWARD, FORWARD);
    const got: number[] = [];
    feed(bob, masked(alice, new Uint8Array(65_535)), [5, 40_000], ({ length }) => void got.push(length));
    expect(got).toEqual([65_535]);
  });

  test('is another one for each connection, and for each answer to the same first message', () => {
    const { alice, bob } = pair(1);
    const request = veiled(alice, new Uint8Array(1280));
    const context = new FramingContext({ provider: portableProvider, random: seededRandom(2), networkKey: NETWORK_KEY });
    const replayed = new StreamFraming(context, 'accepting');
    const [first, second] = [bob, replayed].map((framing) => {
      feed(framing, request, [], () => {});
      return veiled(framing, new Uint8Array(1344));
    }) as [Uint8Array, Uint8Array];
    // Not even lengths: were the mask the same, their difference would show.
    expect(first.subarray(16, 40)).not.toEqual(second.subarray(16, 40));
    expect(bob.nonce).toEqual(request.subarray(0, 16));
  });

  test('reads on for any number of bytes up to 65,535', () => {
    const { alice } = pair(3);
    const lengths = Array.from({ length: 200 }, () => alice.readOnLength());
    expect(Math.min(...lengths)).toBeLessThan(4000);
    expect(Math.max(...lengths)).toBeGreaterThan(61_000);
    expect(Math.max(...lengths)).toBeLessThan(65_536);
  });

  test('cannot be used out of turn', () => {
    const { alice, bob } = pair(4);
    expect(() => veiled(bob, new Uint8Array(1))).toThrow(TypeError);
    expect(() => alice.protect(FORWARD, BACKWARD)).toThrow(TypeError);
    const early = pair(5).alice;
    early.feed(new Uint8Array(16));
    expect(() => early.next()).toThrow(TypeError);
    feed(bob, veiled(alice, new Uint8Array(1)), [], () => {});
    expect(() => bob.protect(BACKWARD, FORWARD)).toThrow(TypeError);
    feed(alice, veiled(bob, new Uint8Array(1)), [], () => {});
    expect(() => alice.protect(FORWARD.subarray(1), BACKWARD)).toThrow(RangeError);
    alice.protect(FORWARD, BACKWARD);
  });
});
