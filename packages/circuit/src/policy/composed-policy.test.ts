import type { PeerId, VerifiedDescriptor } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { type DescriptorBody, type MatryoshkaError, parseEndpoint } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { descriptorOf } from '../../test/descriptors.ts';
import { ComposedPolicy, DEFAULT_CONSTRAINTS, type PolicyParts } from './composed-policy.ts';
import { NECESSARY, admitsPath, distinctNetworks, distinctOperators, except, latencyBelow, only } from './constraints.ts';
import { Measurements } from './measurements.ts';
import type { CircuitRequest, PathConstraint } from './path-policy.ts';
import { byBandwidth, uniformly } from './weights.ts';

const self = { peerId: descriptorOf(250).peerId, endpoints: [parseEndpoint('10.250.0.1:999')] };
const relays = (count: number, changes: (n: number) => Partial<DescriptorBody> = () => ({})): VerifiedDescriptor[] =>
  Array.from({ length: count }, (_, i) => descriptorOf(i + 1, changes(i + 1)));
const request = (count: number, more: Partial<CircuitRequest> = {}): CircuitRequest => ({
  relays: count,
  self,
  canDial: () => true,
  ...more,
});
const at = (...places: readonly string[]): Partial<DescriptorBody> => ({ endpoints: places.map(parseEndpoint) });
const select = (
  directory: readonly VerifiedDescriptor[],
  wanted: CircuitRequest,
  parts: PolicyParts = {},
  seed = 1,
): readonly VerifiedDescriptor[] => new ComposedPolicy(parts).selectPath(wanted, directory, seededRandom(seed));
const ids = (path: readonly VerifiedDescriptor[]): PeerId[] => path.map(({ peerId }) => peerId);

function noPath(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect((error as MatryoshkaError).code).toBe('circuit.no-path');
    return (error as MatryoshkaError).message;
  }
  throw new Error('there was a path');
}

/** How often each of `directory` is on a path of one relay, of `draws`. */
function frequencies(directory: readonly VerifiedDescriptor[], parts: PolicyParts, draws = 2_000): number[] {
  const policy = new ComposedPolicy(parts);
  const random = seededRandom(7);
  const counts = directory.map(() => 0);
  for (let i = 0; i < draws; i++) {
    const [hop] = policy.selectPath(request(1), directory, random);
    const index = directory.indexOf(hop as VerifiedDescriptor);
    counts[index] = (counts[index] as number) + 1;
  }
  return counts;
}

describe('a composed path policy', () => {
  test('the same seed gives the same path, another one another', () => {
    const directory = relays(12);
    expect(ids(select(directory, request(3), {}, 5))).toEqual(ids(select(directory, request(3), {}, 5)));
    const paths = new Set(Array.from({ length: 20 }, (_, seed) => ids(select(directory, request(3), {}, seed)).join()));
    expect(paths.size).toBeGreaterThan(15);
  });

  test.each([1, 2, 3, 8, 14])('%i relays, each once', (count) => {
    const path = select(relays(20), request(count));
    expect(new Set(ids(path)).size).toBe(count);
  });

  test('whatever it selects holds to every constraint, and what it does not find is not there', () => {
    const arbitrary = fc.record({
      nodes: fc.array(
        fc.record({ network: fc.integer({ min: 1, max: 4 }), operator: fc.constantFrom('', 'a', 'b', 'c'), relays: fc.boolean() }),
        { maxLength: 7 },
      ),
      count: fc.integer({ min: 1, max: 4 }),
      seed: fc.nat(),
    });
    const constraints = [...NECESSARY, ...DEFAULT_CONSTRAINTS];
    fc.assert(
      fc.property(arbitrary, ({ nodes, count, seed }) => {
        const directory = nodes.map(({ network, operator, relays: forwards }, i) =>
          descriptorOf(i + 1, { ...at(`10.${network}.0.${i + 1}:999`), operator, relays: forwards }),
        );
        const exists = (chosen: readonly VerifiedDescriptor[]): boolean =>
          chosen.length === count ||
          directory.some((hop) => admitsPath(constraints, [...chosen, hop], request(count)) && exists([...chosen, hop]));
        if (!exists([])) {
          noPath(() => select(directory, request(count), {}, seed));
          return;
        }
        const path = select(directory, request(count), {}, seed);
        expect(path.length).toBe(count);
        expect(admitsPath(constraints, path, request(count))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('one way among many: it is found', () => {
    // Operators pair off so that only one triple is left.
    const directory = relays(9, (n) => ({ operator: n <= 4 ? 'a' : n <= 8 ? 'b' : 'c' }));
    const operators = select(directory, request(3)).map(({ body }) => body.operator);
    expect(operators.toSorted()).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['one network', 400, 3, 1],
    ['two networks', 400, 3, 2],
    ['one network fewer than relays', 60, 14, 13],
  ])('no directory makes it search for long: %s', (_what, count, wanted, networks) => {
    const directory = relays(count, (n) => at(`10.${n % networks}.${n >> 8}.${n & 255}:999`));
    let checks = 0;
    const counting: PathConstraint = { name: 'counting', admits: () => ++checks > 0 };
    const message = noPath(() => select(directory, request(wanted), { constraints: [counting, ...DEFAULT_CONSTRAINTS] }));
    expect(message).toContain(`for hop ${networks + 1} there are ${count} descriptors`);
    expect(message).toContain('"distinct networks" leaves none');
    expect(checks).toBeLessThanOrEqual(200_000);
  });

  test('distinct networks: /16 of IPv4, /48 of IPv6, ends included, other bits where asked', () => {
    const [one, two, three] = relays(3, (n) => at(['10.1.0.1:1', '10.1.9.9:1', '[2001:db8:1::1]:1'][n - 1]!));
    expect(noPath(() => select([one!, two!], request(2)))).toContain('"distinct networks" leaves none');
    expect(select([one!, two!], request(2), { constraints: [distinctNetworks({ ipv4Bits: 24, ipv6Bits: 48 })] }).length).toBe(2);
    expect(select([one!, three!], request(2)).length).toBe(2);
    const destination = { endpoints: [parseEndpoint('[2001:db8:1:ffff::9]:5')] };
    expect(noPath(() => select([three!], request(1, { destination })))).toContain('"distinct networks" leaves none');
    expect(noPath(() => select([descriptorOf(9, at('10.250.7.7:1'))], request(1)))).toContain('"distinct networks" leaves none');
  });

  test('the error says which constraint left nobody, and for which hop', () => {
    expect(noPath(() => select([], request(3)))).toBe('no path of 3 relays: for hop 1 there are 0 descriptors');
    const directory = relays(5, (n) => ({ relays: n !== 5, operator: 'one' }));
    expect(noPath(() => select(directory, request(2)))).toBe(
      'no path of 2 relays: for hop 2 there are 5 descriptors, of which "relays" leaves 4, then "distinct peers" leaves 3, then "distinct operators" leaves none',
    );
    const parts = { constraints: [only([directory[0]!.peerId]), except([directory[0]!.peerId])] };
    expect(noPath(() => select(directory, request(1), parts))).toContain(
      '"only named peers" leaves 1, then "not excluded peers" leaves none',
    );
    expect(noPath(() => select(directory, request(1, { canDial: () => false })))).toContain('"first hop in reach" leaves none');
  });

  test('neither this node nor the far end is in the middle', () => {
    const directory = [...relays(2), descriptorOf(250, at('10.77.0.1:1'))];
    const destination = { peerId: directory[0]!.peerId, endpoints: [] };
    for (let seed = 0; seed < 10; seed++)
      expect(ids(select(directory, request(1, { destination }), {}, seed))).toEqual([directory[1]!.peerId]);
    expect(noPath(() => select(directory, request(2, { destination })))).toContain('"distinct peers" leaves none');
  });

  test('latency: what was measured adds up to no more than the bound', () => {
    const directory = relays(3);
    const [a, b, c] = ids(directory) as [PeerId, PeerId, PeerId];
    const measurements = new Measurements();
    measurements.roundTrip(a, undefined, 100);
    measurements.roundTrip(b, undefined, 10);
    measurements.roundTrip(c, b, 100);
    const constraints = [latencyBelow(50, measurements)];
    for (let seed = 0; seed < 20; seed++) {
      const path = ids(select(directory, request(2), { constraints }, seed));
      expect(path[0]).not.toBe(a);
      expect(path).not.toEqual([b, c]);
    }
    expect(noPath(() => select([directory[0]!], request(1), { constraints }))).toContain('"latency below 50 ms" leaves none');
  });

  test('a path selected without a destination is good for some and not for others', () => {
    const policy = new ComposedPolicy({ constraints: [distinctNetworks(), distinctOperators] });
    const directory = relays(3, (n) => ({ operator: `${n}` }));
    const path = policy.selectPath(request(2), directory.slice(0, 2), seededRandom(1));
    const to = (destination: CircuitRequest['destination']): boolean => policy.admits(path, request(2, { destination: destination! }));
    expect(to({ peerId: directory[2]!.peerId, endpoints: directory[2]!.body.endpoints })).toBe(true);
    expect(to({ peerId: directory[0]!.peerId, endpoints: [] })).toBe(false);
    expect(to({ endpoints: [parseEndpoint('10.1.4.4:1')] })).toBe(false);
    expect(to({ endpoints: [], operator: '2' })).toBe(false);
  });
});

describe('weights', () => {
  test('by what relays say they carry, within bounds; those that say nothing count as the median', () => {
    const directory = relays(5, (n) => ({ bandwidthBytesPerSecond: [100, 100, 0, 1, 1e12][n - 1]! }));
    const counts = frequencies(directory, { weights: byBandwidth() });
    const unit = 2_000 / (1 + 1 + 1 + 1 / 16 + 4);
    for (const [i, weight] of [1, 1, 1, 1 / 16, 4].entries()) expect(counts[i]! / unit, `relay ${i}`).toBeCloseTo(weight, 0);
  });

  test('what was measured counts more than a claim, and takes effect at once', () => {
    const directory = relays(2, () => ({ bandwidthBytesPerSecond: 100 }));
    const measurements = new Measurements();
    const parts = { weights: byBandwidth(measurements) };
    expect(frequencies(directory, parts)[0]! / 1_000).toBeCloseTo(1, 0);
    measurements.carried([directory[0]!.peerId], 900);
    expect(frequencies(directory, parts)[0]! / 1_800).toBeCloseTo(1, 1);
  });

  test('a penalty makes rare, also what has few alternatives', () => {
    const directory = relays(2);
    const penalty = { factor: ({ peerId }: VerifiedDescriptor) => (peerId === directory[0]!.peerId ? 0.1 : 1) };
    const counts = frequencies(directory, { weights: uniformly, penalties: [penalty] });
    expect(counts[0]! / 2_000).toBeCloseTo(1 / 11, 1);
    // Nobody is banned: alone it is taken.
    expect(frequencies([directory[0]!], { penalties: [{ factor: () => 0 }] }, 3)).toEqual([3]);
  });
});
