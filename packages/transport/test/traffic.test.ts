import { type Random, portableProvider } from '@matryoshka/session';
import { describe, expect, test } from 'vitest';
import { FRAME_HEADER_LENGTH, writeFrameHeader } from '../src/frame-decoder.ts';
import { FramingContext, StreamFraming } from '../src/stream-framing.ts';
import { seededRandom } from './seeded-random.ts';

// What somebody sees who has the bytes of many connections and no network key (docs/protocol.md §2.1, §2.2). The messages
// are the worst there are: always the same zeros.

const CONNECTIONS = 1500;
const NETWORK_KEY = new Uint8Array(16).fill(3);
const REQUEST = new Uint8Array(1280);
const ANSWER = new Uint8Array(1344);
const OPENING = new Uint8Array(384);
/** Of each flight, in bytes. */
const LOOKED_AT = 48;
const DEGREES = 255;

interface Connection {
  readonly request: Uint8Array;
  readonly answer: Uint8Array;
  readonly opening: Uint8Array;
  /** Headers of the first frames after the handshake, each of a body of 100 bytes. */
  readonly headers: Uint8Array;
}

function take(framing: StreamFraming, bytes: Uint8Array): void {
  framing.feed(bytes);
  expect(framing.next()?.every((byte) => byte === 0)).toBe(true);
  expect(framing.next()).toBeUndefined();
}

function connect(context: FramingContext, random: Random): Connection {
  const [alice, bob] = [new StreamFraming(context, 'dialling'), new StreamFraming(context, 'accepting')];
  const request = alice.veil([REQUEST], REQUEST.length);
  const sent = request.slice();
  take(bob, request);
  const answer = bob.veil([ANSWER], ANSWER.length);
  const answered = answer.slice();
  take(alice, answer);
  const opening = alice.veil([OPENING], OPENING.length);
  // What a handshake gives.
  const [forward, backward] = [new Uint8Array(32), new Uint8Array(32)];
  random.fill(forward);
  random.fill(backward);
  alice.protect(forward, backward);
  const headers = new Uint8Array(16);
  if (alice.maskOut === undefined) throw new Error('not protected');
  for (let at = 0; at < headers.length; at += FRAME_HEADER_LENGTH) writeFrameHeader(headers, at, 100, alice.maskOut);
  return { request: sent, answer: answered, opening, headers };
}

const random = seededRandom(42);
const context = new FramingContext({ provider: portableProvider, random, networkKey: NETWORK_KEY });
const connections = Array.from({ length: CONNECTIONS }, () => connect(context, random));

/** Chi-square of the bytes at one position over all connections: about 255, if each of 256 values is as likely. */
function chiSquare(flights: readonly Uint8Array[], at: number): number {
  const counts = new Uint32Array(256);
  for (const flight of flights) counts[flight[at] as number]! += 1;
  const expected = flights.length / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function positions(length: number): number[] {
  return Array.from({ length }, (_, at) => at);
}

/** Kolmogorov–Smirnov: the largest distance of two distributions, from 0 to 1. */
function distance(a: readonly number[], b: readonly number[]): number {
  const share = (values: readonly number[], upTo: number): number => values.filter((value) => value <= upTo).length / values.length;
  return Math.max(...[...new Set([...a, ...b])].map((value) => Math.abs(share(a, value) - share(b, value))));
}

const flights = { request: LOOKED_AT, answer: LOOKED_AT, opening: LOOKED_AT, headers: 16 } as const;

describe.each(Object.entries(flights) as [keyof Connection, number][])('the %s of many connections', (name, length) => {
  const bytes = connections.map((connection) => connection[name]);

  test('has any byte at any position as often as any other', () => {
    const squares = positions(length).map((at) => chiSquare(bytes, at));
    // 255 on average, with a deviation of 22.6: five of them away is one position in a million.
    for (const square of squares) expect(square).toBeLessThan(DEGREES + 5 * Math.sqrt(2 * DEGREES));
    const average = squares.reduce((sum, square) => sum + square, 0) / squares.length;
    expect(Math.abs(average - DEGREES)).toBeLessThan((5 * Math.sqrt(2 * DEGREES)) / Math.sqrt(squares.length));
  });

  test('has nothing that comes again in another one, or at another place', () => {
    const seen = new Set<string>();
    for (const flight of bytes)
      for (let at = 0; at + 8 <= length; at += 8) seen.add(Buffer.from(flight.subarray(at, at + 8)).toString('latin1'));
    expect(seen.size).toBe((CONNECTIONS * length) / 8);
  });
});

describe('the sizes of flights', () => {
  const [requests, answers, openings] = (['request', 'answer', 'opening'] as const).map((name) =>
    connections.map((connection) => connection[name].length),
  ) as [number[], number[], number[]];
  const uniform = (from: number): number[] => Array.from({ length: 2048 }, (_, padding) => from + padding);

  test('are spread over 2,048 bytes, evenly', () => {
    // Two distributions of 1,500 samples are further apart than this once in 100,000 times.
    expect(distance(requests, uniform(16 + 2 + 2 + 1280 + 16))).toBeLessThan(0.07);
    expect(distance(answers, uniform(16 + 2 + 2 + 1344 + 16))).toBeLessThan(0.07);
    expect(distance(openings, uniform(2 + 2 + 384 + 16))).toBeLessThan(0.07);
  });

  test('of one connection tell nothing about each other', () => {
    const correlation = (a: readonly number[], b: readonly number[]): number => {
      const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      const [ma, mb] = [mean(a), mean(b)];
      const product = (x: readonly number[], mx: number, y: readonly number[], my: number): number =>
        x.reduce((sum, value, i) => sum + (value - mx) * ((y[i] as number) - my), 0);
      return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb));
    };
    for (const [a, b] of [
      [requests, answers],
      [answers, openings],
      [requests, openings],
    ] as const)
      expect(Math.abs(correlation(a, b))).toBeLessThan(0.13);
  });
});

test('the same tests find what is not hidden: who knows the network key takes the veil off', () => {
  const lengths = connections.map(({ request }) => {
    const observer = new StreamFraming(context, 'accepting');
    observer.feed(request.slice());
    return observer.next() as Uint8Array;
  });
  expect(chiSquare(lengths, 0)).toBeGreaterThan(100_000);
  // And without one everybody does.
  const open = new FramingContext({ provider: portableProvider, random });
  const observer = new StreamFraming(new FramingContext({ provider: portableProvider, random: seededRandom(1) }), 'accepting');
  observer.feed(new StreamFraming(open, 'dialling').veil([REQUEST], REQUEST.length));
  expect(observer.next()).toEqual(REQUEST);
});
