import { describe, expect, test } from 'vitest';
import { Protocols } from './protocols.ts';

const handler = (): void => {};

describe('protocols', () => {
  test('are served until they are not', () => {
    const protocols = new Protocols();
    const stop = protocols.serve('/echo/1', handler);
    expect([protocols.find('/echo/1'), protocols.find('/echo/2')]).toEqual([handler, undefined]);
    expect(() => protocols.serve('/echo/1', handler)).toThrow(RangeError);
    stop();
    stop();
    expect(protocols.find('/echo/1')).toBeUndefined();
    const other = (): void => {};
    protocols.serve('/echo/1', other);
    stop();
    expect(protocols.find('/echo/1')).toBe(other);
  });

  test.each(['', 'x'.repeat(256), 'ü'.repeat(128)])('%j is no name', (name) => {
    expect(() => new Protocols().serve(name, handler)).toThrow(RangeError);
  });

  test('names have up to 255 bytes', () => {
    new Protocols().serve('x'.repeat(255), handler);
  });
});
