import { describe, expect, test } from 'vitest';
import { candidate, party, request } from '../../test/candidates.ts';
import type { CandidateRule } from './rules.ts';
import { allowPeers, denyPeers, distinctOperators, exclude, operatorTag, tagged } from './rules.ts';

const candidates = [candidate(1, { tags: ['near', operatorTag('ann')] }), candidate(2, { tags: [operatorTag('ben')] }), candidate(3)];
const left = (rule: CandidateRule, around = [party()]): number[] =>
  candidates.filter((one) => rule(one, request({ around }))).map((one) => candidates.indexOf(one) + 1);

describe('rules', () => {
  test('peers allowed and denied, by id', () => {
    const peers = [candidate(1).peerId, candidate(3).peerId];
    expect([left(allowPeers(peers)), left(denyPeers(peers)), left(allowPeers([])), left(denyPeers([]))]).toEqual([
      [1, 3],
      [2],
      [],
      [1, 2, 3],
    ]);
  });

  test('tags, and the opposite of any rule', () => {
    expect([left(tagged('near')), left(exclude(tagged('near'))), left(tagged('nearby'))]).toEqual([[1], [2, 3], []]);
  });

  test('distinct operators: nobody who is run by whoever runs this node, the previous hop or the destination', () => {
    const around = [party({ tags: [operatorTag('ann')] }), party({ tags: ['near', operatorTag('zoe')] })];
    expect(left(distinctOperators, around)).toEqual([2, 3]);
    // Other tags in common mean nothing.
    expect(left(distinctOperators, [party({ tags: ['near'] })])).toEqual([1, 2, 3]);
  });
});
