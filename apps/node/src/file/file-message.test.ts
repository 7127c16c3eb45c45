import fc from 'fast-check';
import { DecodeError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import {
  FILE_HEADER_LENGTH,
  type FileMessage,
  FileMessageReader,
  MAX_FILE_BODY_LENGTH,
  REFUSALS,
  type RefusalReason,
  encodeFileMessage,
} from './file-message.ts';

const text = fc
  .string({ unit: 'binary', maxLength: 60 })
  .filter((value) => Buffer.byteLength(value) <= 255 && !/[\ud800-\udfff]/.test(value.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '')));
const size = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anyMessage: fc.Arbitrary<FileMessage> = fc.oneof(
  fc.record({ type: fc.constant('offer' as const), size, name: text }),
  fc.constant({ type: 'accept' } as const),
  fc.record({ type: fc.constant('digest' as const), sha256 }),
  fc.record({ type: fc.constant('stored' as const), size, sha256, name: text }),
  fc.record({ type: fc.constant('refused' as const), reason: fc.constantFrom(...(Object.keys(REFUSALS) as RefusalReason[])), size, text }),
);

/** Everything `chunks` hold, as one reader takes them. */
function readAll(chunks: readonly Uint8Array[]): FileMessage[] {
  const reader = new FileMessageReader();
  const messages: FileMessage[] = [];
  for (const chunk of chunks) {
    let rest = chunk;
    while (rest.length > 0) {
      const read = reader.push(rest);
      if (read === undefined) break;
      messages.push(read.message);
      ({ rest } = read);
    }
  }
  return messages;
}

/** Cuts `bytes` after each of `lengths`. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...chunks, bytes.subarray(at)];
}

describe('file messages', () => {
  test('come back as they were, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 5 }), fc.array(fc.nat({ max: 40 })), (messages, lengths) => {
        const bytes = Buffer.concat(messages.map(encodeFileMessage));
        expect(readAll(cut(bytes, lengths))).toEqual(messages);
      }),
    );
  });

  test('any bytes give messages, or wait for more, or throw a DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          readAll([bytes]);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  test('what follows a message is handed back', () => {
    const bytes = Buffer.concat([encodeFileMessage({ type: 'accept' }), Uint8Array.of(7, 8)]);
    const read = new FileMessageReader().push(bytes);
    expect(read?.message).toEqual({ type: 'accept' });
    expect([...(read?.rest ?? [])]).toEqual([7, 8]);
  });

  test('a length above the limit is refused before anything of the body is there', () => {
    const header = Uint8Array.of(0x01, (MAX_FILE_BODY_LENGTH + 1) >> 8, (MAX_FILE_BODY_LENGTH + 1) & 0xff);
    expect(() => new FileMessageReader().push(header)).toThrow(expect.objectContaining({ code: 'wire.too-long' }));
  });

  test('an unknown type is refused', () => {
    expect(() => new FileMessageReader().push(Uint8Array.of(0x77, 0, 0))).toThrow(
      expect.objectContaining({ code: 'wire.unknown-critical' }),
    );
  });

  test('the longest message has the largest body', () => {
    const longest = encodeFileMessage({ type: 'stored', size: Number.MAX_SAFE_INTEGER, sha256: new Uint8Array(32), name: 'n'.repeat(255) });
    expect(longest.length).toBe(FILE_HEADER_LENGTH + MAX_FILE_BODY_LENGTH);
    expect(readAll([longest])).toHaveLength(1);
  });

  test.each([
    ['a truncated body', Uint8Array.of(0x01, 0, 3, 1, 2, 3), 'wire.truncated'],
    ['bytes after the body', Uint8Array.of(0x02, 0, 1, 9), 'wire.trailing'],
    ['a size above 2^53', Uint8Array.of(0x01, 0, 9, 255, 255, 255, 255, 0, 0, 0, 0, 0), 'wire.invalid'],
    ['a name that is not UTF-8', Uint8Array.of(0x01, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff), 'wire.invalid'],
  ])('%s is refused', (_what, bytes, code) => {
    expect(() => new FileMessageReader().push(bytes)).toThrow(expect.objectContaining({ code }));
  });

  test('an unknown refusal is still one', () => {
    const bytes = encodeFileMessage({ type: 'refused', reason: 'busy', size: 5, text: 'x' });
    bytes[FILE_HEADER_LENGTH] = 0xfe;
    expect(readAll([bytes])).toEqual([{ type: 'refused', reason: 'unknown', size: 5, text: 'x' }]);
  });
});
