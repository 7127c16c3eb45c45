import { seededRandom } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { candidate, party, request } from '../../test/candidates.ts';
import { type Candidate, randomNextHop } from '../routing-policy.ts';
import { checkedChoice } from './checked-choice.ts';

const candidates = [candidate(1), candidate(2)];
const choice = (select: (offered: readonly Candidate[]) => unknown): Candidate | undefined =>
  checkedChoice(
    { selectNextHop: (_request, offered) => select(offered) as Candidate },
    request({ around: [party()] }),
    [...candidates],
    seededRandom(1),
  );
const failed = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'relay.policy-failed', kind: 'caller', message: expect.stringMatching(message) as unknown });

describe('what a policy decides', () => {
  test('is taken where it is one of the candidates, or nobody', () => {
    expect(choice((offered) => offered[1])).toBe(candidates[1]);
    expect(choice(() => undefined)).toBeUndefined();
    expect(candidates).toContain(checkedChoice(randomNextHop, request(), [...candidates], seededRandom(1)));
  });

  test.each<[string, (offered: readonly Candidate[]) => unknown, RegExp]>([
    ['a stranger', () => candidate(3), /must return one of the candidates it was given, or undefined, not another object/],
    ['a copy of one', ([first]) => ({ ...first }), /not another object/],
    ['a promise of one', ([first]) => Promise.resolve(first), /not a Promise: it has to decide at once/],
    ['nothing that is one', () => null, /not null/],
    ['its index', () => 0, /not another number/],
  ])('is not where it is %s', (_what, select, message) => {
    expect(() => choice(select)).toThrow(failed(message));
  });

  test.each<[string, () => never, RegExp]>([
    [
      'an error',
      () => {
        throw new RangeError('no idea');
      },
      /the routing policy threw: no idea/,
    ],
    [
      'anything else',
      () => {
        // oxlint-disable-next-line only-throw-error
        throw Symbol('x');
      },
      /the routing policy threw: a symbol/,
    ],
  ])('is nothing where it throws %s', (_what, select, message) => {
    expect(() => choice(select)).toThrow(failed(message));
  });

  test('changes nothing of what it was shown: trying to is an error of its own', () => {
    for (const change of [
      (offered: readonly Candidate[]) => (offered as Candidate[]).pop(),
      ([first]: readonly Candidate[]) => Object.assign(first as Candidate, { links: 5 }),
      ([first]: readonly Candidate[]) => ((first as Candidate).tags as string[]).push('mine'),
    ])
      expect(() => choice(change)).toThrow(failed(/threw/));
    expect(candidates[0]).toMatchObject({ links: 0, tags: [] });
  });
});
