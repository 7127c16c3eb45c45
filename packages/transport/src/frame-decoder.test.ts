import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME_HEADER_LENGTH, FrameDecoder, type LengthMask, writeFrameHeader } from './frame-decoder.ts';

const UNMASKED: LengthMask = { next: () => 0 };

function newDecoder(): FrameDecoder {
  const decoder = new FrameDecoder(0);
  decoder.remask(UNMASKED, 65_535);
  return decoder;
}

function stream(...bodies: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(bodies.reduce((sum, body) => sum + FRAME_HEADER_LENGTH + body.length, 0));
  let at = 0;
  for (const body of bodies) {
    writeFrameHeader(bytes, at, body.length, UNMASKED);
    bytes.set(body, at + FRAME_HEADER_LENGTH);
    at += FRAME_HEADER_LENGTH + body.length;
  }
  return bytes;
}

function frames(decoder: FrameDecoder, chunks: Iterable<Uint8Array>): Uint8Array[] {
  const taken: Uint8Array[] = [];
  for (const chunk of chunks) {
    decoder.feed(chunk);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) taken.push(frame.slice());
  }
  return taken;
}

function* split(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (const cut of cuts.map((n) => n % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    yield bytes.subarray(from, cut);
    from = cut;
  }
  yield bytes.subarray(from);
}

describe('frames (docs/protocol.md §2)', () => {
  test('are a big-endian length and the body', () => {
    const bytes = stream(Uint8Array.of(7), new Uint8Array(258));
    expect([...bytes.subarray(0, 5)]).toEqual([0, 1, 7, 1, 2]);
    expect(frames(newDecoder(), [bytes])).toEqual([Uint8Array.of(7), new Uint8Array(258)]);
  });

  test('come out the same however the stream is split', () => {
    const body = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.uint8Array({ minLength: 1000, maxLength: 5000 }));
    const cuts = fc.array(fc.nat(), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(body, { maxLength: 8 }), cuts, (bodies, where) => {
        expect(frames(newDecoder(), split(stream(...bodies), where))).toEqual(bodies);
      }),
    );
  });

  test('come out the same byte by byte', () => {
    const bodies = [Uint8Array.of(1), new Uint8Array(300).fill(2), Uint8Array.of(3, 4)];
    const bytes = stream(...bodies);
    const single = Array.from({ length: bytes.length }, (_, i) => bytes.subarray(i, i + 1));
    expect(frames(newDecoder(), single)).toEqual(bodies);
  });

  test('have up to 65,535 bytes', () => {
    const body = new Uint8Array(65_535).map((_, i) => i * 7);
    const bytes = stream(body, body);
    expect(frames(newDecoder(), split(bytes, [1, 40_000, 65_538, 100_000]))).toEqual([body, body]);
  });

  test('are not copied where they lie in one chunk', () => {
    const bytes = stream(Uint8Array.of(1, 2), Uint8Array.of(3));
    const decoder = newDecoder();
    decoder.feed(bytes);
    expect(decoder.next()?.buffer).toBe(bytes.buffer);
    expect(decoder.next()?.buffer).toBe(bytes.buffer);
  });

  test('are plain bytes, whatever the chunk was', () => {
    const decoder = newDecoder();
    decoder.feed(Buffer.from(stream(Uint8Array.of(1, 2))));
    expect(Object.getPrototypeOf(decoder.next())).toBe(Uint8Array.prototype);
  });

  test('share one buffer where they are put together', () => {
    const decoder = newDecoder();
    const buffers = [1, 2, 3].map((value) => {
      const bytes = stream(new Uint8Array(900).fill(value));
      decoder.feed(bytes.subarray(0, 500));
      expect(decoder.next()).toBeUndefined();
      decoder.feed(bytes.subarray(500));
      return decoder.next()?.buffer;
    });
    expect(new Set(buffers).size).toBe(1);
  });

  test('may be left in the decoder for later', () => {
    const decoder = newDecoder();
    decoder.feed(stream(Uint8Array.of(1), Uint8Array.of(2)));
    expect(decoder.next()).toEqual(Uint8Array.of(1));
    expect(() => decoder.feed(Uint8Array.of(0))).toThrow(RangeError);
    expect(decoder.next()).toEqual(Uint8Array.of(2));
    expect(decoder.next()).toBeUndefined();
    decoder.feed(stream(Uint8Array.of(3)));
    expect(decoder.next()).toEqual(Uint8Array.of(3));
  });

  test('come out the same though the chunk is taken away after any of them', () => {
    const body = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.uint8Array({ minLength: 500, maxLength: 3000 }));
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(body, { maxLength: 8 }), cuts, fc.infiniteStream(fc.integer({ min: 0, max: 3 })), (bodies, where, turns) => {
        const decoder = newDecoder();
        const taken: Uint8Array[] = [];
        for (const piece of split(stream(...bodies), where)) {
          // One buffer for all reads: overwritten after each.
          const shared = piece.slice();
          decoder.feed(shared);
          // Its owner takes a few frames, pauses, and takes the rest later.
          let more = true;
          for (let left = turns.next().value as number; left > 0 && more; left--) {
            const frame = decoder.next();
            if (frame === undefined) more = false;
            else taken.push(frame.slice());
          }
          decoder.keep();
          shared.fill(0xee);
          for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) taken.push(frame.slice());
        }
        expect(taken).toEqual(bodies);
      }),
    );
  });

  test('that are kept say the same of what is incomplete, in the middle of a header and of a body', () => {
    const bytes = stream(Uint8Array.of(1), Uint8Array.of(2, 3, 4));
    const states = Array.from({ length: bytes.length - 3 }, (_, i) => {
      const decoder = newDecoder();
      const shared = bytes.slice(0, 3 + i);
      decoder.feed(shared);
      expect(decoder.next()).toEqual(Uint8Array.of(1));
      decoder.keep();
      shared.fill(0xee);
      expect(decoder.next()).toBeUndefined();
      decoder.keep();
      const { incomplete } = decoder;
      expect(frames(decoder, [bytes.subarray(3 + i)])).toEqual([Uint8Array.of(2, 3, 4)]);
      return incomplete;
    });
    expect(states).toEqual([false, true, true, true, true]);
  });

  test('a frame that was taken stays as it is when the rest is kept', () => {
    const decoder = newDecoder();
    const bytes = stream(Uint8Array.of(1, 2), Uint8Array.of(3));
    decoder.feed(bytes.subarray(0, 3));
    expect(decoder.next()).toBeUndefined();
    decoder.feed(bytes.subarray(3));
    const assembled = decoder.next();
    decoder.keep();
    bytes.fill(0xee);
    expect(assembled).toEqual(Uint8Array.of(1, 2));
    expect(decoder.next()).toEqual(Uint8Array.of(3));
  });

  test('are incomplete from the first byte of the header to the last one of the body', () => {
    const decoder = newDecoder();
    const bytes = stream(Uint8Array.of(1, 2));
    const states = Array.from({ length: bytes.length }, (_, i) => {
      frames(decoder, [bytes.subarray(i, i + 1)]);
      return decoder.incomplete;
    });
    expect(states).toEqual([true, true, true, false]);
  });

  test('of no bytes are an error', () => {
    const decoder = newDecoder();
    decoder.feed(Uint8Array.of(0, 0, 1));
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'transport.frame-length' }));
  });

  test('are put together in a buffer of at most their largest length', () => {
    const decoder = newDecoder();
    decoder.feed(Uint8Array.of(0xff, 0xff, 1));
    expect(decoder.next()).toBeUndefined();
    decoder.feed(new Uint8Array(100));
    expect(decoder.next()).toBeUndefined();
    decoder.feed(new Uint8Array(65_535 - 101));
    expect(decoder.next()?.buffer.byteLength).toBe(65_535);
  });

  test('leave no buffer behind once it is released', () => {
    const decoder = newDecoder();
    const bytes = stream(new Uint8Array(10));
    const buffer = (): ArrayBufferLike | undefined => {
      frames(decoder, [bytes.subarray(0, 5)]);
      decoder.feed(bytes.subarray(5));
      return decoder.next()?.buffer;
    };
    const before = buffer();
    decoder.release();
    expect(buffer()).not.toBe(before);
  });

  test('under assembly survive a release', () => {
    const decoder = newDecoder();
    const bytes = stream(Uint8Array.of(1, 2, 3));
    frames(decoder, [bytes.subarray(0, 4)]);
    decoder.release();
    expect(frames(decoder, [bytes.subarray(4)])).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  test('above the length that is allowed are an error, before anything is kept of them', () => {
    const decoder = new FrameDecoder(0);
    decoder.remask(UNMASKED, 10);
    decoder.feed(Uint8Array.of(0, 10, ...new Uint8Array(10), 0, 11));
    expect(decoder.next()).toHaveLength(10);
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'transport.frame-length' }));
  });
});

describe('masked lengths (docs/protocol.md §2.2)', () => {
  /** Any numbers, the same for both sides. */
  const maskOf = (seed: number): LengthMask => {
    let state = seed;
    return { next: () => (state = (state * 25_173 + 13_849) & 0xffff) };
  };

  test('come out the same however the stream is split, also where the mask changes between two frames', () => {
    const body = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.uint8Array({ minLength: 1000, maxLength: 3000 }));
    const bodies = fc.array(body, { minLength: 1, maxLength: 6 });
    const cuts = fc.array(fc.nat(), { maxLength: 20 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), bodies, bodies, cuts, (prelude, before, after, where) => {
        const bytes: number[] = [...prelude];
        const [first, second] = [maskOf(1), maskOf(2)];
        const header = new Uint8Array(FRAME_HEADER_LENGTH);
        for (const [index, frame] of [...before, ...after].entries()) {
          writeFrameHeader(header, 0, frame.length, index < before.length ? first : second);
          bytes.push(...header, ...frame);
        }
        const decoder = new FrameDecoder(prelude.length);
        const taken: Uint8Array[] = [];
        for (const chunk of split(Uint8Array.from(bytes), where)) {
          decoder.feed(chunk);
          for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
            taken.push(frame.slice());
            if (taken.length === 1) decoder.remask(maskOf(1), 65_535);
            if (taken.length === 1 + before.length) decoder.remask(maskOf(2), 65_535);
          }
        }
        expect(taken).toEqual([prelude, ...before, ...after]);
      }),
    );
  });

  test('are preceded by bytes that are incomplete once the first of them is there', () => {
    const decoder = new FrameDecoder(2);
    expect(decoder.next()).toBeUndefined();
    expect(decoder.incomplete).toBe(false);
    decoder.feed(Uint8Array.of(1));
    expect(decoder.next()).toBeUndefined();
    expect(decoder.incomplete).toBe(true);
    decoder.feed(Uint8Array.of(2, 0));
    expect(decoder.next()).toEqual(Uint8Array.of(1, 2));
    decoder.remask(UNMASKED, 65_535);
    expect(decoder.next()).toBeUndefined();
    expect(decoder.incomplete).toBe(true);
  });

  test('cannot be read without a mask', () => {
    const decoder = new FrameDecoder(1);
    decoder.feed(Uint8Array.of(1, 0, 1, 7));
    expect(decoder.next()).toEqual(Uint8Array.of(1));
    expect(() => decoder.next()).toThrow(TypeError);
  });
});
