import { expect, test } from 'vitest';
import { Accounts, MAX_IDLE_ACCOUNTS } from './account.ts';

test('an account is the same for the same name, until it is idle and too many others were used since', () => {
  const accounts = new Accounts();
  const [busy, idle, used] = [accounts.of('busy'), accounts.of('idle'), accounts.of('used')];
  busy.creditBytes = 1;
  for (let i = 0; i < MAX_IDLE_ACCOUNTS; i++) {
    accounts.of(`other ${i}`);
    expect(accounts.of('used')).toBe(used);
  }
  expect(accounts.of('busy')).toBe(busy);
  expect(accounts.of('idle')).not.toBe(idle);
});
