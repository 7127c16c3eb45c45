import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME_HEADER_LENGTH, FrameDecoder, writeFrameHeader } from './frame-decoder.ts';

function stream(...bodies: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(bodies.reduce((sum, body) => sum + FRAME_HEADER_LENGTH + body.length, 0));
  let at = 0;
  for (const body of bodies) {
    writeFrameHeader(bytes, at, body.length);
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
    expect(frames(new FrameDecoder(), [bytes])).toEqual([Uint8Array.of(7), new Uint8Array(258)]);
  });

  test('come out the same however the stream is split', () => {
    const body = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.uint8Array({ minLength: 1000, maxLength: 5000 }));
    const cuts = fc.array(fc.nat(), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(body, { maxLength: 8 }), cuts, (bodies, where) => {
        expect(frames(new FrameDecoder(), split(stream(...bodies), where))).toEqual(bodies);
      }),
    );
  });

  test('come out the same byte by byte', () => {
    const bodies = [Uint8Array.of(1), new Uint8Array(300).fill(2), Uint8Array.of(3, 4)];
    const bytes = stream(...bodies);
    const single = Array.from({ length: bytes.length }, (_, i) => bytes.subarray(i, i + 1));
    expect(frames(new FrameDecoder(), single)).toEqual(bodies);
  });

  test('have up to 65,535 bytes', () => {
    const body = new Uint8Array(65_535).map((_, i) => i * 7);
    const bytes = stream(body, body);
    expect(frames(new FrameDecoder(), split(bytes, [1, 40_000, 65_538, 100_000]))).toEqual([body, body]);
  });

  test('are not copied where they lie in one chunk', () => {
    const bytes = stream(Uint8Array.of(1, 2), Uint8Array.of(3));
    const decoder = new FrameDecoder();
    decoder.feed(bytes);
    expect(decoder.next()?.buffer).toBe(bytes.buffer);
    expect(decoder.next()?.buffer).toBe(bytes.buffer);
  });

  test('are plain bytes, whatever the chunk was', () => {
    const decoder = new FrameDecoder();
    decoder.feed(Buffer.from(stream(Uint8Array.of(1, 2))));
    expect(Object.getPrototypeOf(decoder.next())).toBe(Uint8Array.prototype);
  });

  test('share one buffer where they are put together', () => {
    const decoder = new FrameDecoder();
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
    const decoder = new FrameDecoder();
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
        const decoder = new FrameDecoder();
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
      const decoder = new FrameDecoder();
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
    const decoder = new FrameDecoder();
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
    const decoder = new FrameDecoder();
    const bytes = stream(Uint8Array.of(1, 2));
    const states = Array.from({ length: bytes.length }, (_, i) => {
      frames(decoder, [bytes.subarray(i, i + 1)]);
      return decoder.incomplete;
    });
    expect(states).toEqual([true, true, true, false]);
  });

  test('of no bytes are an error', () => {
    const decoder = new FrameDecoder();
    decoder.feed(Uint8Array.of(0, 0, 1));
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'transport.frame-length' }));
  });

  test('are put together in a buffer of at most their largest length', () => {
    const decoder = new FrameDecoder();
    decoder.feed(Uint8Array.of(0xff, 0xff, 1));
    expect(decoder.next()).toBeUndefined();
    decoder.feed(new Uint8Array(100));
    expect(decoder.next()).toBeUndefined();
    decoder.feed(new Uint8Array(65_535 - 101));
    expect(decoder.next()?.buffer.byteLength).toBe(65_535);
  });

  test('leave no buffer behind once it is released', () => {
    const decoder = new FrameDecoder();
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
    const decoder = new FrameDecoder();
    const bytes = stream(Uint8Array.of(1, 2, 3));
    frames(decoder, [bytes.subarray(0, 4)]);
    decoder.release();
    expect(frames(decoder, [bytes.subarray(4)])).toEqual([Uint8Array.of(1, 2, 3)]);
  });
});
