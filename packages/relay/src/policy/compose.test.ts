import { seededRandom } from '@matryoshka/simulation';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidate, party, request } from '../../test/candidates.ts';
import { type Candidate, type RoutingPolicy, randomNextHop } from '../routing-policy.ts';
import { lowestLatency, weightedByBandwidth } from './choosers.ts';
import { all, prefer } from './compose.ts';
import { type CandidateRule, allowPeers, denyPeers, distinctOperators, exclude, operatorTag, tagged } from './rules.ts';

const candidates = [
  candidate(1, { tags: ['near'], roundTripMs: 5 }),
  candidate(2, { tags: ['near', 'slow'], roundTripMs: 1 }),
  candidate(3, { roundTripMs: 9 }),
];
const chosen = (policy: RoutingPolicy, among = candidates): Candidate[] => {
  const random = seededRandom(3);
  const all = Array.from({ length: 200 }, () => policy.selectNextHop(request(), among, random));
  return among.filter((one) => all.includes(one));
};
const [first, second, third] = candidates as [Candidate, Candidate, Candidate];

describe('all', () => {
  test('leaves those of whom every rule holds; the last part may choose among them', () => {
    expect(chosen(all(tagged('near')))).toEqual([first, second]);
    expect(chosen(all(tagged('near'), exclude(tagged('slow'))))).toEqual([first]);
    expect(chosen(all(tagged('near'), lowestLatency()))).toEqual([second]);
    expect(chosen(all(tagged('near'), tagged('far'), lowestLatency()))).toEqual([]);
    expect(chosen(all(lowestLatency()))).toEqual([second]);
  });
});

describe('prefer', () => {
  test('leaves out a rule that would leave nobody; the first goes first', () => {
    expect(chosen(prefer(tagged('slow')))).toEqual([second]);
    expect(chosen(prefer(tagged('slow')), [first, third])).toEqual([first, third]);
    expect(chosen(prefer(exclude(tagged('near')), tagged('slow')))).toEqual([third]);
    expect(chosen(prefer(tagged('far'), tagged('slow')))).toEqual([second]);
  });

  test('is a policy as any, and so may be a part of others', () => {
    expect(chosen(all(exclude(tagged('slow')), prefer(tagged('slow'), lowestLatency())))).toEqual([first]);
    expect(chosen(prefer(tagged('slow'), all(exclude(tagged('slow')))))).toEqual([]);
  });
});

describe('parts that cannot be composed', () => {
  test.each([
    ['a policy that is not the last', [randomNextHop, tagged('near')]],
    ['nothing that is one', [tagged('near'), 'near']],
    ['a policy without its method', [{}]],
  ])('%s', (_what, parts) => {
    for (const compose of [all, prefer])
      expect(() => (compose as (...those: unknown[]) => unknown)(...parts)).toThrow(/must be a rule.*only the last may be a RoutingPolicy/);
  });
});

describe('any composition', () => {
  const peerIds = Array.from({ length: 8 }, (_, i) => candidate(i).peerId);
  const tag = fc.constantFrom('near', 'slow', operatorTag('ann'), operatorTag('ben'));
  const peers = fc.subarray(peerIds);
  const { rule } = fc.letrec<{ rule: CandidateRule }>((tie) => ({
    rule: fc.oneof(
      { maxDepth: 3 },
      peers.map(allowPeers),
      peers.map(denyPeers),
      tag.map(tagged),
      fc.constant(distinctOperators),
      tie('rule').map((inner) => exclude(inner)),
    ),
  }));
  const { policy } = fc.letrec<{ policy: RoutingPolicy }>((tie) => ({
    policy: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(randomNextHop, weightedByBandwidth),
      fc.integer({ min: 1, max: 4 }).map((choices) => lowestLatency({ choices })),
      fc
        .tuple(fc.constantFrom(all, prefer), fc.array(rule, { maxLength: 3 }), tie('policy'))
        .map(([compose, rules, last]) => compose(...rules, last)),
    ),
  }));
  const offered = fc
    .uniqueArray(
      fc.record({
        i: fc.nat(7),
        tags: fc.subarray(['near', 'slow', operatorTag('ann'), operatorTag('ben')]),
        roundTripMs: fc.option(fc.nat(500), { nil: undefined }),
        bytesPerSecond: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e12, noNaN: true })),
      }),
      { selector: ({ i }) => i },
    )
    .map((list) => list.map(({ i, ...options }) => candidate(i, options)));
  const asked = fc.array(tag, { maxLength: 2 }).map((tags) => request({ around: [party({ tags })] }));

  test('chooses one of those it was offered, or nobody; the same under the same seed', () => {
    fc.assert(
      fc.property(policy, offered, asked, fc.nat(), (composed, among, question, seed) => {
        const choose = (): Candidate | undefined => composed.selectNextHop(question, among, seededRandom(seed));
        const one = choose();
        if (one !== undefined) expect(among).toContain(one);
        expect(choose()).toBe(one);
      }),
    );
  });

  test('of all rules, each holds for whom it chooses; and it chooses nobody only if they hold for nobody', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), offered, asked, fc.nat(), (rules, among, question, seed) => {
        const one = all(...rules, randomNextHop).selectNextHop(question, among, seededRandom(seed));
        const eligible = among.filter((each) => rules.every((holds) => holds(each, question)));
        if (one === undefined) expect(eligible).toEqual([]);
        else expect(eligible).toContain(one);
        if (among.length > 0) expect(prefer(...rules, randomNextHop).selectNextHop(question, among, seededRandom(seed))).toBeDefined();
      }),
    );
  });
});
