import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeDatagram, encodeHostPort, encodeText, takeDatagram, takeHostPort, takeText } from './protocol.ts';
import { takeBytes } from './take-bytes.ts';

const text = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).filter((value) => new TextEncoder().encode(value).length <= 255);
const place = fc.record({ host: text, port: fc.integer({ min: 0, max: 65_535 }) });

/** A stream on which `bytes` come in pieces, cut at `cuts`, and then its end. */
function streamOf(bytes: Uint8Array, cuts: readonly number[]): PassThrough {
  const stream = new PassThrough();
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let at = 0;
  for (const end of ends) {
    if (end > at) stream.write(bytes.subarray(at, end));
    at = end;
  }
  stream.end();
  return stream;
}

describe('what is said at the beginning of a stream', () => {
  test('a name is read back, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat()), async (name, cuts) => {
        expect(await takeText(takeBytes(streamOf(encodeText(name), cuts)))).toBe(name);
      }),
    );
  });

  test('host and port are read back', async () => {
    await fc.assert(
      fc.asyncProperty(place, fc.array(fc.nat()), async (value, cuts) => {
        expect(await takeHostPort(takeBytes(streamOf(encodeHostPort(value), cuts)))).toEqual(value);
      }),
    );
  });

  test('datagrams are read back one by one, empty ones too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(place, fc.uint8Array({ maxLength: 200 })), { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat()),
        async (datagrams, cuts) => {
          const take = takeBytes(streamOf(Buffer.concat(datagrams.map(([to, payload]) => encodeDatagram(to, payload))), cuts));
          for (const [to, payload] of datagrams) {
            // oxlint-disable-next-line no-await-in-loop
            const read = await takeDatagram(take);
            expect(read.place).toEqual(to);
            expect([...read.payload]).toEqual([...payload]);
          }
        },
      ),
    );
  });

  test('any bytes are read or refused with a code', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (bytes) => {
        try {
          await takeDatagram(takeBytes(streamOf(bytes, [])));
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(wire\.truncated|service\.protocol)$/) });
        }
      }),
    );
  });

  test('nothing is read ahead: what follows can be piped', async () => {
    const stream = streamOf(Uint8Array.of(...encodeText('web'), 1, 2, 3), []);
    await takeText(takeBytes(stream));
    expect([...Buffer.concat(await stream.toArray())]).toEqual([1, 2, 3]);
  });

  test('a name that is empty or too long is refused where it is made', () => {
    expect(() => encodeText('')).toThrow(RangeError);
    expect(() => encodeText('x'.repeat(256))).toThrow(RangeError);
  });
});
