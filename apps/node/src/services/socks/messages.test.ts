import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { takeBytes } from '../take-bytes.ts';
import {
  COMMAND,
  REPLY,
  SocksError,
  decodeDatagram,
  encodeReply,
  encodeSocksDatagram,
  takeCredentials,
  takeMethods,
  takeRequest,
} from './messages.ts';

function stream(...bytes: readonly number[]): ReturnType<typeof takeBytes> {
  const through = new PassThrough();
  through.end(Uint8Array.from(bytes));
  return takeBytes(through);
}
const ascii = (text: string): readonly number[] => [...Buffer.from(text)];

describe('SOCKS version 5', () => {
  test('methods (RFC 1928 §3)', async () => {
    expect(await takeMethods(stream(2, 0x00, 0x02))).toEqual(new Set([0x00, 0x02]));
    expect(await takeMethods(stream(0))).toEqual(new Set());
  });

  test('credentials (RFC 1929 §2) tell clients apart, however they are split', async () => {
    const ab = await takeCredentials(stream(1, 1, ...ascii('a'), 1, ...ascii('b')));
    const a = await takeCredentials(stream(1, 2, ...ascii('ab'), 0));
    const b = await takeCredentials(stream(1, 0, 2, ...ascii('ab')));
    expect(new Set([ab, a, b]).size).toBe(3);
    await expect(takeCredentials(stream(2, 0, 0))).rejects.toThrow(SocksError);
  });

  test('a request to an IPv4 address, an IPv6 address and a name (RFC 1928 §4, §5)', async () => {
    expect(await takeRequest(stream(5, 1, 0, 1, 192, 0, 2, 1, 0, 80))).toEqual({
      command: COMMAND.connect,
      place: { host: '192.0.2.1', port: 80 },
    });
    expect(await takeRequest(stream(5, 3, 0, 4, 0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 1, 1, 0xbb))).toEqual({
      command: COMMAND.udpAssociate,
      place: { host: '2001:db8::1', port: 443 },
    });
    expect(await takeRequest(stream(5, 1, 0, 3, 11, ...ascii('example.com'), 1, 0xbb))).toMatchObject({
      place: { host: 'example.com', port: 443 },
    });
  });

  test.each([
    ['another version', [4, 1, 0, 1, 192, 0, 2, 1, 0, 80], REPLY.failure],
    ['an address of another type', [5, 1, 0, 2, 0, 0], REPLY.addressTypeUnknown],
    ['a name that is none', [5, 1, 0, 3, 3, ...ascii('a b'), 0, 80], REPLY.failure],
    ['a name that is no text', [5, 1, 0, 3, 2, 0xff, 0xfe, 0, 80], REPLY.failure],
    ['an empty name', [5, 1, 0, 3, 0, 0, 80], REPLY.failure],
  ] as const)('%s is refused with its reply', async (_, bytes, reply) => {
    await expect(takeRequest(stream(...bytes))).rejects.toMatchObject({ reply });
  });

  test('replies (RFC 1928 §6)', () => {
    expect([...encodeReply(REPLY.succeeded)]).toEqual([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect([...encodeReply(REPLY.succeeded, { host: '127.0.0.1', port: 258 })]).toEqual([5, 0, 0, 1, 127, 0, 0, 1, 1, 2]);
  });

  test('datagrams are read back (RFC 1928 §7); fragments, and whatever is none, are let go', async () => {
    const host = fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', 'example.com', 'a-b.example'));
    await fc.assert(
      fc.asyncProperty(host, fc.integer({ min: 0, max: 65_535 }), fc.uint8Array({ maxLength: 64 }), async (name, port, payload) => {
        const read = await decodeDatagram(encodeSocksDatagram({ host: name, port }, payload));
        expect(read?.place).toEqual({ host: name, port });
        expect([...(read?.payload ?? [])]).toEqual([...payload]);
      }),
    );
    expect(await decodeDatagram(Uint8Array.of(0, 0, 1, 1, 192, 0, 2, 1, 0, 53))).toBeUndefined();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        await decodeDatagram(bytes);
      }),
    );
  });
});
