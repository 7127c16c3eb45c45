import { portableProvider } from '@matryoshka/session';
import { createWorld } from '@matryoshka/simulation';
import { HANDSHAKE_REQUEST_LENGTH } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { TestNode } from '../test/pair.ts';
import { hourBucket, initiate, isAnonymous } from './initiate.ts';

const KEY = portableProvider.dhKeyPair(new Uint8Array(32).fill(5)).publicKey;

describe('the handshake of an initiator', () => {
  test('shows no identity where it is told so, and never in NK', () => {
    expect(isAnonymous({})).toBe(false);
    expect(isAnonymous({ anonymous: false })).toBe(false);
    expect(isAnonymous({ anonymous: true })).toBe(true);
    expect(isAnonymous({ remoteStatic: KEY })).toBe(true);
    expect(isAnonymous({ remoteStatic: KEY, anonymous: false })).toBe(true);
  });

  test.each([
    ['by default', {}, [0x01, 0x01, 0x01]],
    ['of the other suite', { suite: 'aes256gcm' }, [0x01, 0x02, 0x01]],
    ['to a known static key', { remoteStatic: KEY }, [0x01, 0x01, 0x02]],
    ['of an anonymous one', { anonymous: true }, [0x01, 0x01, 0x01]],
  ] as const)('selects version, suite and pattern: %s (docs/protocol.md §3.1)', (_what, options, selector) => {
    const node = new TestNode(createWorld({ seed: 1 }), 1);
    const request = initiate(node, options).request();
    expect([request.length, [...request.subarray(0, 3)]]).toEqual([HANDSHAKE_REQUEST_LENGTH, selector]);
  });

  test('names the hour that it is, rounded down (docs/protocol.md §3.2)', () => {
    expect([hourBucket(0), hourBucket(3_599_999), hourBucket(3_600_000), hourBucket(1_767_225_600_000)]).toEqual([0, 0, 1, 490_896]);
  });

  test('is a new one each time', () => {
    const node = new TestNode(createWorld({ seed: 1 }), 1);
    const [one, two] = [initiate(node, {}).request(), initiate(node, {}).request()];
    expect(Buffer.compare(one, two)).not.toBe(0);
  });
});
