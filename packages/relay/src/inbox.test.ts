import type { MatryoshkaError } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CreditPool } from './credit-pool.ts';
import { Inbox } from './inbox.ts';
import { RelayWindow } from './relay-window.ts';

const WINDOW = 10_000;

/** An inbox with an owner that can be away. */
class Desk {
  readonly messages: Uint8Array[] = [];
  readonly misuses: string[] = [];
  granted = WINDOW;
  sent = 0;
  away = false;
  readonly #window = new RelayWindow(new CreditPool(), WINDOW, undefined);
  readonly inbox = new Inbox(this.#window, {
    grant: () => (this.granted = this.#window.announce(0, 0)),
    misused: (error) => this.misuses.push(error.code),
  });

  data(length: number, more: boolean): void {
    this.sent += length;
    this.inbox.data(
      new Uint8Array(length).fill(length & 255),
      more,
      this.away ? undefined : (message) => this.messages.push(message.slice()),
    );
  }

  back(): void {
    this.away = false;
    while (this.inbox.deliverOne((message) => this.messages.push(message.slice())));
  }
}

const codeOf = (run: () => void): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as MatryoshkaError).code;
  }
};

describe('inbox of a relay link', () => {
  test('delivers at once to an owner that is there, and grants credit for it', () => {
    const desk = new Desk();
    desk.data(4000, false);
    desk.data(4000, false);
    expect(desk.messages.map(({ length }) => length)).toEqual([4000, 4000]);
    expect(desk.granted).toBe(18_000);
    expect(desk.inbox.empty).toBe(true);
  });

  test('keeps messages for an owner that is away, without granting credit for them', () => {
    const desk = new Desk();
    desk.away = true;
    desk.data(4000, false);
    desk.data(6000, false);
    expect(desk.granted).toBe(WINDOW);
    expect(desk.inbox.heldBytes).toBe(10_000);
    desk.back();
    expect(desk.messages.map(({ length }) => length)).toEqual([4000, 6000]);
    expect(desk.granted).toBe(20_000);
    expect(desk.inbox.heldBytes).toBe(0);
  });

  test('order is kept where one comes back while messages wait', () => {
    const desk = new Desk();
    desk.away = true;
    desk.data(1, false);
    desk.away = false;
    desk.data(2, false);
    expect(desk.messages).toEqual([]);
    desk.back();
    expect(desk.messages.map(({ length }) => length)).toEqual([1, 2]);
  });

  test('a message larger than the window gets through in pieces', () => {
    const desk = new Desk();
    for (let i = 0; i < 12; i++) desk.data(5000, i < 11);
    expect(desk.messages.map(({ length }) => length)).toEqual([60_000]);
  });

  test('pieces behind a message that waits are not credited: many large messages cannot pile up within a small window', () => {
    const desk = new Desk();
    desk.away = true;
    let pieces = 0;
    expect(
      codeOf(() => {
        for (;;) {
          for (let i = 0; i < 12; i++) {
            if (desk.sent + 5000 > desk.granted) throw Object.assign(new Error('no credit'), { code: 'stopped' });
            desk.data(5000, i < 11);
            pieces++;
          }
        }
      }),
    ).toBe('stopped');
    expect(desk.inbox.heldBytes).toBeLessThanOrEqual(WINDOW + 65_535);
    expect(pieces).toBeLessThan(20);
  });

  test('the answer of a handshake is the first message and uses no credit', () => {
    const desk = new Desk();
    const answer = Uint8Array.of(9, 9);
    desk.inbox.answer(answer);
    answer.fill(0);
    desk.data(10_000, false);
    desk.back();
    expect(desk.messages.map(({ length }) => length)).toEqual([2, 10_000]);
    expect(desk.messages[0]).toEqual(Uint8Array.of(9, 9));
    expect(desk.granted).toBe(20_000);
  });

  test('the neighbour is to blame for empty data and for more than was granted', () => {
    const desk = new Desk();
    expect(codeOf(() => desk.data(0, false))).toBe('relay.protocol');
    desk.away = true;
    expect(codeOf(() => desk.data(10_001, false))).toBe('session.credit-exceeded');
    expect(desk.misuses).toEqual([]);
  });

  test('for a message that grows too long the far end is', () => {
    const desk = new Desk();
    for (let i = 0; i < 14; i++) desk.data(5000, true);
    expect(desk.misuses).toEqual(['relay.protocol']);
  });

  test('discard() lets go of everything that waits', () => {
    const desk = new Desk();
    desk.away = true;
    desk.data(100, false);
    desk.inbox.discard();
    expect(desk.inbox.empty).toBe(true);
    desk.back();
    expect(desk.messages).toEqual([]);
  });

  test('property: whoever keeps to the credit gets everything through in order, and all of it is granted again', () => {
    const step = fc.oneof(
      fc.record({ length: fc.integer({ min: 1, max: 5000 }), more: fc.boolean() }),
      fc.constantFrom('away' as const, 'back' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const desk = new Desk();
        const expected: number[] = [];
        let assembly = 0;
        for (const each of steps) {
          if (each === 'away') desk.away = true;
          else if (each === 'back') desk.back();
          else if (desk.sent + each.length <= desk.granted && assembly + each.length <= 65_535) {
            desk.data(each.length, each.more);
            assembly += each.length;
            if (each.more) continue;
            expected.push(assembly);
            assembly = 0;
          }
          expect(desk.inbox.heldBytes).toBeLessThanOrEqual(WINDOW + 65_535);
        }
        desk.back();
        expect(desk.messages.map(({ length }) => length)).toEqual(expected);
        expect(desk.granted - desk.sent).toBeGreaterThanOrEqual(WINDOW / 2);
      }),
    );
  });
});
