import type { Session } from '@matryoshka/peer';
import type { RecordWriter } from '@matryoshka/session';
import { SimulatedClock } from '@matryoshka/simulation';
import { RELAY_DATA_OVERHEAD } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Egress } from './egress.ts';
import { IdleCredit } from './idle-credit.ts';
import { portHalves } from './port-table.ts';

const PORT = 0x1_8000_0002n;
const MIN_PIECE = 2048;

interface Piece {
  readonly more: boolean;
  readonly bytes: Uint8Array;
}

/** A session that pulls when it is told to, into records of a given size. */
class Carrier {
  readonly records: Piece[][] = [];
  readonly log: string[] = [];
  readonly egress: Egress;
  readonly clock = new SimulatedClock();
  readonly idle = new IdleCredit(this.clock);
  auto = true;
  asked = false;
  #drained = false;

  constructor(credit: number) {
    const outbox = {
      turn: () => undefined,
      ready: () => {
        this.asked = true;
        if (this.auto) this.pump();
      },
      remove: () => {
        this.asked = false;
      },
      drained: () => {
        this.#drained = true;
      },
    };
    this.egress = new Egress(
      { outbox } as unknown as Session,
      PORT,
      credit,
      {
        consumed: (bytes) => this.log.push(`consumed ${bytes}`),
        unitSent: () => this.log.push('unit'),
        drained: () => this.log.push('drained'),
        giveBack: (bytes) => this.log.push(`back ${bytes}`),
      },
      this.idle,
    );
  }

  get pieces(): Piece[] {
    return this.records.flat();
  }

  /** Pulls until there is nothing more, at most `maxRecords` records of `recordBytes`. */
  pump(recordBytes = 65_503, maxRecords = Infinity): void {
    for (let record = 0; record < maxRecords && this.asked; record++) {
      const pieces: Piece[] = [];
      let left = recordBytes;
      let open: { more: boolean; length: number } | undefined;
      let parts: Uint8Array[] = [];
      const writer = {
        get carriedSpace() {
          return left;
        },
        get pending() {
          return pieces.length > 0;
        },
        relayData(high: number, low: number, more: boolean, length: number) {
          expect({ high, low }).toEqual(portHalves(PORT));
          expect(parts).toEqual([]);
          open = { more, length };
          left -= RELAY_DATA_OVERHEAD;
        },
        carried(bytes: Uint8Array) {
          const { more, length } = open as { more: boolean; length: number };
          left -= bytes.length;
          parts.push(bytes.slice());
          const piece = joined(parts);
          expect(piece.length).toBeLessThanOrEqual(length);
          if (piece.length < length) return;
          pieces.push({ more, bytes: piece });
          parts = [];
        },
      };
      for (;;) {
        const before = left;
        const more = this.egress.pull(writer as unknown as RecordWriter);
        expect(left).toBeGreaterThanOrEqual(0);
        // What was announced is there, whole, when the pull ends.
        expect(parts).toEqual([]);
        if (!more) this.asked = false;
        if (!more || left === before) break;
      }
      if (pieces.length > 0) this.records.push(pieces);
    }
    if (!this.#drained) return;
    this.#drained = false;
    this.egress.drained();
  }
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

function join(pieces: readonly Piece[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  for (const { more, bytes } of pieces) {
    parts.push(bytes);
    if (more) continue;
    messages.push(joined(parts));
    parts = [];
  }
  expect(parts).toEqual([]);
  return messages;
}

/** `bytes` in parts that end at the given places; some may be empty. */
function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const ends = [...at.map((end) => end % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const bytesOf = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 31) & 255);

describe('egress', () => {
  test('sends units whole where credit allows', () => {
    const carrier = new Carrier(100_000);
    carrier.egress.lend([bytesOf(60_000, 1)], false);
    carrier.egress.lend([bytesOf(1, 2)], false);
    expect(carrier.pieces.map(({ more, bytes }) => [more, bytes.length])).toEqual([
      [false, 60_000],
      [false, 1],
    ]);
    expect(carrier.log).toEqual(['consumed 60000', 'unit', 'drained', 'consumed 1', 'unit', 'drained']);
    expect(carrier.egress.sentBytes).toBe(60_001);
    expect(carrier.egress.pendingBytes).toBe(0);
  });

  test('splits a unit with the more bit when credit is short, and goes on with the next credit', () => {
    const carrier = new Carrier(5000);
    carrier.egress.lend([bytesOf(12_000, 1)], false);
    expect(carrier.pieces.map(({ more, bytes }) => [more, bytes.length])).toEqual([[true, 5000]]);
    expect(carrier.egress.pendingBytes).toBe(7000);
    carrier.egress.credited(5100);
    // 100 bytes are no piece.
    expect(carrier.pieces.length).toBe(1);
    carrier.egress.credited(7500);
    carrier.egress.credited(7400);
    carrier.egress.credited(20_000);
    expect(carrier.pieces.map(({ more, bytes }) => [more, bytes.length])).toEqual([
      [true, 5000],
      [true, 2500],
      [false, 4500],
    ]);
    expect(join(carrier.pieces)).toEqual([bytesOf(12_000, 1)]);
    expect(carrier.log.filter((entry) => entry === 'unit').length).toBe(1);
  });

  test('a unit that says more goes on in the next one', () => {
    const carrier = new Carrier(100_000);
    carrier.egress.lend([bytesOf(10, 1)], true);
    carrier.egress.lend([bytesOf(20, 2)], false);
    expect(carrier.pieces.map(({ more, bytes }) => [more, bytes.length])).toEqual([
      [true, 10],
      [false, 20],
    ]);
  });

  test('what is passed may be overwritten at once', () => {
    const carrier = new Carrier(3000);
    const first = bytesOf(4000, 1);
    const second = bytesOf(500, 2);
    carrier.egress.pass(first, false);
    first.fill(0);
    carrier.egress.pass(second, false);
    second.fill(0);
    carrier.egress.credited(10_000);
    expect(join(carrier.pieces)).toEqual([bytesOf(4000, 1), bytesOf(500, 2)]);
  });

  test('a megabyte of single bytes that wait takes little more memory than that', () => {
    const carrier = new Carrier(0);
    carrier.auto = false;
    const used = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const before = used();
    const byte = new Uint8Array(1);
    for (let i = 0; i < 1024 * 1024; i++) carrier.egress.pass(byte, false);
    expect([carrier.egress.pendingUnits, carrier.egress.pendingBytes]).toEqual([1024 * 1024, 1024 * 1024]);
    // 3 bytes for each, and what the collector has not seen yet.
    expect(used() - before).toBeLessThan(8 * 1024 * 1024);
  });

  test('nothing goes out after stop()', () => {
    const carrier = new Carrier(0);
    carrier.egress.lend([bytesOf(100, 1)], false);
    carrier.egress.stop();
    carrier.egress.credited(1000);
    carrier.pump();
    expect(carrier.pieces).toEqual([]);
    expect(carrier.egress.pendingBytes).toBe(0);
  });

  test('a unit of several parts is one message, and one unit sent', () => {
    const carrier = new Carrier(100_000);
    carrier.egress.lend([new Uint8Array(0), bytesOf(10, 1), new Uint8Array(0), bytesOf(20, 2), new Uint8Array(0)], false);
    expect(carrier.pieces).toEqual([{ more: false, bytes: joined([bytesOf(10, 1), bytesOf(20, 2)]) }]);
    expect(carrier.log).toEqual(['consumed 30', 'unit', 'drained']);
  });

  test('a unit of several parts may be split by credit at any of its bytes', () => {
    const bytes = bytesOf(2 * MIN_PIECE + 300, 1);
    const borders = [1, MIN_PIECE, MIN_PIECE, MIN_PIECE + 100, MIN_PIECE + 101, 2 * MIN_PIECE];
    for (let first = MIN_PIECE; first < bytes.length; first++) {
      const carrier = new Carrier(first);
      carrier.egress.lend(cut(bytes, borders), false);
      expect(carrier.pieces.map(({ more, bytes: piece }) => [more, piece.length])).toEqual([[true, first]]);
      expect(carrier.egress.pendingBytes).toBe(bytes.length - first);
      carrier.egress.credited(bytes.length);
      expect(carrier.pieces).toHaveLength(2);
      expect(Buffer.compare(join(carrier.pieces)[0] as Uint8Array, bytes)).toBe(0);
      expect(carrier.log.filter((entry) => entry === 'unit')).toHaveLength(1);
    }
  });

  test('property: units of several parts come out whole, wherever credit and records split them', () => {
    const part = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 9000 }), fc.constantFrom(MIN_PIECE - 1, MIN_PIECE));
    const unit = fc.array(part, { minLength: 1, maxLength: 6 }).filter((lengths) => lengths.some((length) => length > 0));
    const grants = fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(unit, { minLength: 1, maxLength: 4 }),
        grants,
        fc.integer({ min: 3000, max: 65_503 }),
        (units, credit, space) => {
          const carrier = new Carrier(0);
          carrier.auto = false;
          const messages = units.map((lengths, u) => lengths.map((length, i) => bytesOf(length, u * 7 + i)));
          for (const parts of messages) carrier.egress.lend(parts, false);
          let granted = 0;
          for (const bytes of [...credit, 250_000]) {
            carrier.egress.credited((granted += bytes));
            carrier.pump(space);
          }
          expect(join(carrier.pieces)).toEqual(messages.map(joined));
          expect(carrier.log.filter((entry) => entry === 'unit')).toHaveLength(units.length);
          expect([carrier.egress.pendingBytes, carrier.egress.pendingUnits]).toEqual([0, 0]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('property: order and contents are kept, credit is never exceeded, no piece is needlessly small', () => {
    const action = fc.oneof(
      fc.record({
        kind: fc.constant('pass' as const),
        length: fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 20 })),
        more: fc.boolean(),
      }),
      fc.record({
        kind: fc.constant('lend' as const),
        length: fc.integer({ min: 1, max: 65_535 }),
        more: fc.boolean(),
        cuts: fc.array(fc.nat(), { maxLength: 4 }),
      }),
      fc.record({ kind: fc.constant('credit' as const), bytes: fc.integer({ min: 0, max: 70_000 }) }),
      fc.record({
        kind: fc.constant('pump' as const),
        recordBytes: fc.integer({ min: 8000, max: 65_503 }),
        records: fc.integer({ min: 1, max: 3 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), fc.boolean(), (actions, auto) => {
        const carrier = new Carrier(0);
        carrier.auto = auto;
        const units: Piece[] = [];
        let granted = 0;
        let index = 0;
        for (const each of actions) {
          if (each.kind === 'credit') carrier.egress.credited((granted += each.bytes));
          else if (each.kind === 'pump') carrier.pump(each.recordBytes, each.records);
          else {
            const bytes = bytesOf(each.length, ++index);
            units.push({ more: each.more, bytes: bytes.slice() });
            if (each.kind === 'pass') {
              carrier.egress.pass(bytes, each.more);
              bytes.fill(0xee);
            } else carrier.egress.lend(cut(bytes, each.cuts), each.more);
          }
          expect(carrier.egress.sentBytes).toBeLessThanOrEqual(granted);
        }
        carrier.egress.credited(Number.MAX_SAFE_INTEGER);
        carrier.auto = true;
        carrier.pump();
        // Pieces join to the units again, one after the other, with the unit's own bit on its last piece.
        const pieces = carrier.pieces;
        let at = 0;
        for (const unit of units) {
          let length = 0;
          while (length < unit.bytes.length) {
            const piece = pieces[at++] as Piece;
            const rest = unit.bytes.length - length;
            expect(piece.bytes).toEqual(unit.bytes.subarray(length, length + piece.bytes.length));
            expect(piece.bytes.length >= Math.min(MIN_PIECE, rest)).toBe(true);
            length += piece.bytes.length;
            expect(piece.more).toBe(length < unit.bytes.length || unit.more);
          }
        }
        expect(at).toBe(pieces.length);
        expect(carrier.egress.pendingBytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
