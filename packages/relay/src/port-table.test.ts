import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PortTable, portHalves } from './port-table.ts';

/** Ports that often share one half. */
const port = fc
  .tuple(fc.constantFrom(0, 1, 2, 0x8000_0000, 0xffff_ffff), fc.constantFrom(0, 1, 2, 0x8000_0000, 0xffff_ffff))
  .map(([high, low]) => (BigInt(high) << 32n) | BigInt(low))
  .filter((value) => value !== 0n);

const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), port, value: fc.nat(1000) }),
  fc.record({ kind: fc.constant('delete' as const), port }),
);

describe('port table', () => {
  test('halves of a port are unsigned', () => {
    expect(portHalves(0xffff_ffff_8000_0001n)).toEqual({ high: 0xffff_ffff, low: 0x8000_0001 });
  });

  test('behaves as a map from ports to values', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new PortTable<number>();
        const model = new Map<bigint, number>();
        const touched = new Set<bigint>();
        for (const each of steps) {
          touched.add(each.port);
          if (each.kind === 'set') {
            table.set(each.port, each.value);
            model.set(each.port, each.value);
          } else {
            table.delete(each.port);
            model.delete(each.port);
          }
          expect(table.size).toBe(model.size);
          for (const known of touched) {
            const { high, low } = portHalves(known);
            expect(table.get(high, low)).toBe(model.get(known));
            expect(table.has(known)).toBe(model.has(known));
          }
          expect([...table.values()].toSorted((a, b) => a - b)).toEqual([...model.values()].toSorted((a, b) => a - b));
        }
      }),
    );
  });
});
