import type { PeerId } from '@matryoshka/session';
import { SimulatedClock, seededRandom } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { descriptorOf } from '../../test/descriptors.ts';
import { ComposedPolicy } from './composed-policy.ts';
import { EntryGuards, type EntryGuardsOptions, type Guard } from './entry-guards.ts';
import type { CircuitRequest } from './path-policy.ts';

const DAY_MS = 86_400_000;
const directory = Array.from({ length: 20 }, (_, i) => descriptorOf(i + 1));
const request: CircuitRequest = { relays: 3, self: { endpoints: [] }, canDial: () => true };

function setUp(
  options: EntryGuardsOptions = {},
  seed = 1,
): { clock: SimulatedClock; guards: EntryGuards; first: (among?: typeof directory) => PeerId } {
  const clock = new SimulatedClock();
  const guards = new EntryGuards(clock, options);
  const policy = new ComposedPolicy({ entry: guards });
  const random = seededRandom(seed);
  return { clock, guards, first: (among = directory) => policy.selectPath(request, among, random)[0]!.peerId };
}

describe('entry guards', () => {
  test('the first hop is the same on every path, the others are not', () => {
    const { first, guards } = setUp();
    expect(new Set(Array.from({ length: 50 }, () => first())).size).toBe(1);
    expect(guards.guards.length).toBe(3);
  });

  test('one that fails rests, and the next one takes its place; afterwards it is first again', async () => {
    const { clock, first, guards } = setUp();
    const one = first();
    guards.failed(one);
    const two = first();
    expect(two).toBe(guards.guards[1]?.peerId);
    await clock.advance(59_000);
    expect(first()).toBe(two);
    await clock.advance(2_000);
    expect(first()).toBe(one);
    guards.failed(one);
    await clock.advance(61_000);
    expect(first()).toBe(two);
    await clock.advance(60_000);
    expect(first()).toBe(one);
    guards.succeeded(one);
    guards.failed(one);
    await clock.advance(61_000);
    expect(first()).toBe(one);
  });

  test('when none works others are chosen, but never more than 60', () => {
    const { first, guards } = setUp();
    const used = new Set<PeerId>();
    for (let i = 0; i < 15; i++) {
      used.add(first());
      guards.failed(first());
    }
    expect(used.size).toBe(15);
    expect(guards.guards.length).toBeLessThanOrEqual(60);
  });

  test('a guard is replaced after 60 to 120 days, at the end of the list', async () => {
    const { clock, first, guards } = setUp();
    first();
    const before = guards.guards;
    for (const { untilUnixMs } of guards.guards) {
      const days = (untilUnixMs - clock.unixMs()) / DAY_MS;
      expect(days).toBeGreaterThanOrEqual(60);
      expect(days).toBeLessThanOrEqual(120);
    }
    await clock.advance(59 * DAY_MS);
    first();
    expect(guards.guards).toEqual(before);
    await clock.advance(62 * DAY_MS);
    first();
    // Some may have been drawn again, but for another time.
    expect(guards.guards.some((guard) => before.includes(guard))).toBe(false);
    expect(guards.guards.length).toBe(3);
  });

  test('one whose descriptor is gone is kept for when it comes back', () => {
    const { first, guards } = setUp();
    const one = first();
    expect(first(directory.filter(({ peerId }) => peerId !== one))).toBe(guards.guards[1]?.peerId);
    expect(first()).toBe(one);
  });

  test('they persist', () => {
    let saved: readonly Guard[] = [];
    const store = { load: () => saved, save: (guards: readonly Guard[]) => void (saved = JSON.parse(JSON.stringify(guards)) as Guard[]) };
    const one = setUp({ store }).first();
    expect(saved.length).toBe(3);
    for (let seed = 2; seed < 10; seed++) expect(setUp({ store }, seed).first()).toBe(one);
  });
});
