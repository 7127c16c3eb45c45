import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Failure, RequestBudget } from './request-budget.ts';

/** What candidates do, one after the other; behind one that does not answer, everything fails as well. */
type Fate = Failure | 'sent on, then silent';

/** Sends that a request causes at a node and behind it, if everything fails there as `next` says. */
function sends(hopsLeft: number, attemptsLeft: number, next: () => Fate): number {
  const budget = new RequestBudget(hopsLeft, attemptsLeft, 10_000, 0);
  let caused = 0;
  while (budget.enough) {
    const grant = budget.ask(0);
    expect(grant.attemptsLeft).toBeLessThanOrEqual(Math.max(0, attemptsLeft - 1));
    caused++;
    const fate = next();
    if (fate === 'sent on, then silent' && hopsLeft > 1) caused += sends(hopsLeft - 1, grant.attemptsLeft, next);
    budget.failed(fate === 'at-once' ? 'at-once' : 'unknown');
    // The last hop has no other candidates.
    if (hopsLeft === 1) break;
  }
  return caused;
}

describe('R15 what a request may cause', () => {
  test('is never more than its hops and its attempts, whoever fails how', () => {
    const fates = fc.infiniteStream(fc.constantFrom<Fate>('at-once', 'unknown', 'sent on, then silent'));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 0, max: 8 }), fates, (hopsLeft, attemptsLeft, stream) => {
        const fate = stream[Symbol.iterator]();
        expect(sends(hopsLeft, attemptsLeft, () => fate.next().value as Fate)).toBeLessThanOrEqual(hopsLeft + attemptsLeft);
      }),
    );
  });

  test('where nobody fails it is the way on', () => {
    for (let hopsLeft = 1; hopsLeft < 15; hopsLeft++) expect(new RequestBudget(hopsLeft, 0, 10_000, 0).enough).toBe(true);
  });

  test('leaves room for another candidate where one does not answer', () => {
    for (const attemptsLeft of [4, 8]) {
      const budget = new RequestBudget(2, attemptsLeft, 10_000, 0);
      budget.ask(0);
      budget.failed('unknown');
      expect(budget.enough).toBe(true);
    }
  });

  test('lets as many candidates fail at once as there are attempts', () => {
    const budget = new RequestBudget(3, 4, 10_000, 0);
    let asked = 0;
    for (; budget.enough; asked++) {
      budget.ask(0);
      budget.failed('at-once');
    }
    expect(asked).toBe(5);
  });
});

describe('R15 the time of a request', () => {
  test('is less at each node, and leaves a part for another candidate where there may be one', () => {
    const budget = new RequestBudget(2, 8, 10_000, 0);
    const first = budget.ask(1000);
    // Two thirds of what is left; then a little longer for its own answer.
    expect(first).toMatchObject({ budgetMs: 6000, patienceMs: 6750 });
    budget.failed('unknown');
    expect(budget.ask(7750)).toMatchObject({ budgetMs: 2137, patienceMs: undefined });
  });

  test('is not cut short where many hops follow', () => {
    expect(new RequestBudget(14, 8, 30_000, 0).ask(0)).toMatchObject({ budgetMs: 28_500 });
    expect(new RequestBudget(1, 8, 30_000, 0).ask(0)).toMatchObject({ budgetMs: 28_500, patienceMs: undefined });
    // Where it is all but over, it is that.
    expect(new RequestBudget(1, 8, 1, 0).ask(0)).toMatchObject({ budgetMs: 1 });
  });
});
