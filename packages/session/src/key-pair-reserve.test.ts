import { createCipheriv } from 'node:crypto';
import { HANDSHAKE_OPENING_LENGTH } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SessionKeys, networkKeyPsk } from './handshake.ts';
import { createIdentity } from './identity.ts';
import { InitiatorHandshake } from './initiator-handshake.ts';
import { KEY_PAIR_RESERVE_SIZE, KeyPairReserve } from './key-pair-reserve.ts';
import { type KeyPairSource, freshKeyPairs } from './key-pair-source.ts';
import { portableProvider as provider } from './portable/provider.ts';
import type { Random } from './random.ts';
import { ResponderHandshake } from './responder-handshake.ts';

/** AES-CTR under a fixed key: the same bytes in every run. */
function replayable(seed = 3): Random {
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16));
  return { fill: (bytes) => bytes.set(stream.update(new Uint8Array(bytes.length))) };
}

/** Key pairs that say which they are, and whether they were wiped. */
class NumberedSource implements KeyPairSource {
  readonly wiped: string[] = [];
  made: string[] = [];

  dhKeyPair(): ReturnType<KeyPairSource['dhKeyPair']> {
    return { ...this.#make('dh'), shared: () => new Uint8Array(32) };
  }

  kemKeyPair(): ReturnType<KeyPairSource['kemKeyPair']> {
    return { ...this.#make('kem'), decapsulate: () => new Uint8Array(32) };
  }

  #make(kind: string): { publicKey: Uint8Array; wipe: () => void } {
    const name = `${kind} ${this.made.length}`;
    this.made.push(name);
    return { publicKey: new TextEncoder().encode(name), wipe: () => void this.wiped.push(name) };
  }
}

const nameOf = ({ publicKey }: { publicKey: Uint8Array }): string => new TextDecoder().decode(publicKey);

describe('a reserve of key pairs', () => {
  test('makes nothing before somebody asks, and then only of the kind that was asked for', () => {
    const source = new NumberedSource();
    const reserve = new KeyPairReserve(source, 2);
    reserve.refill();
    expect([reserve.missing, source.made]).toEqual([0, []]);
    expect(nameOf(reserve.dhKeyPair())).toBe('dh 0');
    expect(reserve.missing).toBe(2);
    for (let i = 0; i < 5; i++) reserve.refill();
    expect([reserve.missing, source.made]).toEqual([0, ['dh 0', 'dh 1', 'dh 2']]);
  });

  test('makes one at a time, of what it misses more', () => {
    const source = new NumberedSource();
    const reserve = new KeyPairReserve(source, 2);
    reserve.dhKeyPair();
    reserve.refill();
    reserve.kemKeyPair();
    source.made = [];
    for (let missing = 3; missing > 0; missing--) {
      expect(reserve.missing).toBe(missing);
      reserve.refill();
    }
    expect(source.made).toEqual(['kem 0', 'kem 1', 'dh 2']);
    expect(reserve.missing).toBe(0);
  });

  test('gives each once, the oldest first, and makes one where there is none', () => {
    const operation = fc.constantFrom('dhKeyPair' as const, 'kemKeyPair' as const, 'refill' as const, 'wipe' as const);
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (operations, size) => {
        const source = new NumberedSource();
        const reserve = new KeyPairReserve(source, size);
        const ready = { dh: [] as string[], kem: [] as string[] };
        const taken: string[] = [];
        for (const each of operations) {
          const before = source.made.length;
          if (each === 'wipe') {
            const kept = [...ready.dh, ...ready.kem];
            source.wiped.length = 0;
            reserve.wipe();
            expect(source.wiped).toEqual(kept);
            ready.dh = [];
            ready.kem = [];
            expect(reserve.missing).toBe(0);
          } else if (each === 'refill') {
            const missed = reserve.missing;
            reserve.refill();
            for (const name of source.made.slice(before)) ready[name.startsWith('dh') ? 'dh' : 'kem'].push(name);
            expect(source.made.length - before).toBe(Math.min(1, missed));
            expect(reserve.missing).toBe(Math.max(0, missed - 1));
          } else {
            const kept = ready[each === 'dhKeyPair' ? 'dh' : 'kem'];
            const name = nameOf(reserve[each]());
            expect(name).toBe(kept.shift() ?? source.made[before]);
            taken.push(name);
          }
          expect(Math.max(ready.dh.length, ready.kem.length)).toBeLessThanOrEqual(size);
        }
        expect(new Set(taken).size).toBe(taken.length);
        // Those that were taken are their taker's.
        expect(source.wiped.some((name) => taken.includes(name))).toBe(false);
      }),
    );
  });

  test('has a size', () => {
    const source = new NumberedSource();
    for (const size of [0, -1, 1.5, Number.NaN]) expect(() => new KeyPairReserve(source, size)).toThrow(RangeError);
    const reserve = new KeyPairReserve(source);
    reserve.dhKeyPair();
    expect(reserve.missing).toBe(KEY_PAIR_RESERVE_SIZE);
  });

  test('replays: the same randomness and the same calls give the same pairs', () => {
    const run = (): Uint8Array[] => {
      const reserve = new KeyPairReserve(freshKeyPairs(provider, replayable()), 2);
      const pairs = [reserve.dhKeyPair()];
      reserve.refill();
      reserve.refill();
      pairs.push(reserve.dhKeyPair(), reserve.dhKeyPair(), reserve.dhKeyPair());
      return pairs.map(({ publicKey }) => publicKey);
    };
    const keys = run();
    expect(keys).toEqual(run());
    expect(new Set(keys.map(String)).size).toBe(4);
  });
});

describe('handshakes with key pairs made ahead', () => {
  const random = replayable(5);
  const psk = networkKeyPsk(provider);
  const [alice, bob] = [createIdentity(provider, random), createIdentity(provider, random)];
  const bobStatic = freshKeyPairs(provider, random).dhKeyPair();
  const hour = 480_000;

  /** A reserve that has so many pairs of each kind ready. */
  function reserveWith(ready: number, taken: string[]): KeyPairSource {
    const reserve = new KeyPairReserve(freshKeyPairs(provider, random), Math.max(1, ready));
    reserve.dhKeyPair();
    reserve.kemKeyPair();
    for (let i = 0; i < 2 * ready; i++) reserve.refill();
    return {
      dhKeyPair: () => {
        taken.push('dh');
        return reserve.dhKeyPair();
      },
      kemKeyPair: () => {
        taken.push('kem');
        return reserve.kemKeyPair();
      },
    };
  }

  test('agree with any others, and take no more than they send', () => {
    const ready = fc.constantFrom(undefined, 0, 1, 2);
    fc.assert(
      fc.property(fc.constantFrom('XX' as const, 'NK' as const), ready, ready, fc.boolean(), (pattern, ours, theirs, known) => {
        const takenByInitiator: string[] = [];
        const takenByResponder: string[] = [];
        const initiator = new InitiatorHandshake({
          provider,
          random,
          psk,
          hour,
          suite: 'chacha20poly1305',
          pattern,
          keyPairs: ours === undefined ? undefined : reserveWith(ours, takenByInitiator),
          ...(pattern === 'NK' ? { remoteStatic: bobStatic.publicKey } : { identity: alice }),
        });
        const staticKey = pattern === 'NK' || known ? bobStatic : undefined;
        const keyPairs = theirs === undefined ? undefined : reserveWith(theirs, takenByResponder);
        const responder = new ResponderHandshake({ provider, random, psk, hour, identity: bob, staticKey, keyPairs });
        responder.request(initiator.request());
        // What does not authenticate must cost its receiver no key, so none is taken for a request.
        expect(takenByResponder).toEqual([]);
        expect(initiator.answer(responder.answer()).peerId).toBe(bob.peerId);
        const opening = new Uint8Array(HANDSHAKE_OPENING_LENGTH);
        initiator.opening(opening);
        responder.opening(opening);
        const [sent, received]: SessionKeys[] = [initiator.keys, responder.keys];
        expect([sent?.send, sent?.receive, sent?.sessionId]).toEqual([received?.receive, received?.send, received?.sessionId]);
        if (ours !== undefined) expect(takenByInitiator).toEqual(pattern === 'NK' ? ['dh', 'kem'] : ['dh', 'kem', 'dh']);
        if (theirs !== undefined) expect(takenByResponder).toEqual(staticKey === undefined ? ['dh', 'dh'] : ['dh']);
      }),
      { numRuns: 24 },
    );
  });

  test('wipe what they took, whether they end or are given up', () => {
    const source = new NumberedSource();
    const begin = (): InitiatorHandshake =>
      new InitiatorHandshake({ provider, random, psk, hour, suite: 'chacha20poly1305', pattern: 'XX', identity: alice, keyPairs: source });
    begin().abandon();
    expect(source.made).toEqual([]);
    const [dh, kem] = [freshKeyPairs(provider, random).dhKeyPair(), freshKeyPairs(provider, random).kemKeyPair()];
    const wiped: string[] = [];
    const handshake = new InitiatorHandshake({
      provider,
      random,
      psk,
      hour,
      suite: 'chacha20poly1305',
      pattern: 'XX',
      keyPairs: {
        dhKeyPair: () => ({ publicKey: dh.publicKey, shared: (key) => dh.shared(key), wipe: () => void wiped.push('dh') }),
        kemKeyPair: () => ({
          publicKey: kem.publicKey,
          decapsulate: (ciphertext) => kem.decapsulate(ciphertext),
          wipe: () => void wiped.push('kem'),
        }),
      },
    });
    handshake.request();
    expect(wiped).toEqual([]);
    handshake.abandon();
    expect(wiped).toEqual(['dh', 'kem']);
  });
});
