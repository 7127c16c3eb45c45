import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { portableProvider as provider } from '../portable/provider.ts';
import type { Random } from '../random.ts';
import { type HandshakeOptions, HandshakeState } from './handshake-state.ts';
import { PATTERN_NAMES, namedPattern } from './pattern-catalog.ts';
import type { Role } from './pattern.ts';
import { type NoiseProtocol, parseProtocolName } from './protocol-name.ts';

const NUM_RUNS = 60;

/** Any protocol there is: pattern, hfs or not, psks in any places, cipher, hash. */
const protocols: fc.Arbitrary<NoiseProtocol> = fc
  .constantFrom(...PATTERN_NAMES)
  .chain((base) => {
    const length = namedPattern(base).messages.length;
    const places = Array.from({ length: length + 1 }, (_, place) => `psk${place}`);
    return fc.record({
      base: fc.constant(base),
      hfs: length === 1 ? fc.constant(false) : fc.boolean(),
      psks: fc.subarray(places),
      cipher: fc.constantFrom('ChaChaPoly', 'AESGCM'),
      hash: fc.constantFrom('SHA256', 'SHA512', 'BLAKE2s', 'BLAKE2b'),
    });
  })
  .map(({ base, hfs, psks, cipher, hash }) =>
    parseProtocolName(`Noise_${base}${[...(hfs ? ['hfs'] : []), ...psks].join('+')}_25519${hfs ? '+MLKEM768' : ''}_${cipher}_${hash}`),
  );

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const handshakes = fc.record({
  protocol: protocols,
  secrets: fc.tuple(key, key),
  psks: fc.array(key, { minLength: 5, maxLength: 5 }),
  prologue: bytes(300),
  payloads: fc.array(bytes(100), { minLength: 4, maxLength: 4 }),
  seed: fc.nat(),
});
type Handshake = typeof handshakes extends fc.Arbitrary<infer T> ? T : never;

// One after the other, and never the same: a counter is as good as chance here.
function counting(seed: number): Random {
  let next = seed;
  return { fill: (out) => out.forEach((_, index) => void (out[index] = (next += 7919) >>> 3)) };
}

function sides(handshake: Handshake, changeResponder: Partial<HandshakeOptions> = {}): readonly [HandshakeState, HandshakeState] {
  const { protocol, secrets, prologue, seed } = handshake;
  const [is, rs] = [provider.dhKeyPair(secrets[0]), provider.dhKeyPair(secrets[1])];
  const common = { provider, random: counting(seed), protocol, prologue, psks: pskList(handshake) };
  const known = (role: Role): boolean => protocol.pattern.preMessages.includes(role);
  return [
    new HandshakeState({ ...common, role: 'initiator', staticKey: is, remoteStatic: known('responder') ? rs.publicKey : undefined }),
    new HandshakeState({
      ...common,
      role: 'responder',
      staticKey: rs,
      remoteStatic: known('initiator') ? is.publicKey : undefined,
      ...changeResponder,
    }),
  ];
}

function pskList({ protocol, psks }: Handshake): readonly Uint8Array[] {
  return psks.slice(0, protocol.pattern.messages.flat().filter((token) => token === 'psk').length);
}

/** Runs a handshake to its end; `change` may put something else in the place of message `index`. */
function run(
  [initiator, responder]: readonly [HandshakeState, HandshakeState],
  payloads: readonly Uint8Array[],
  change: (message: Uint8Array, index: number) => Uint8Array = (message) => message,
): void {
  for (let index = 0; initiator.turn !== 'over'; index += 1) {
    const [sender, receiver] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
    const payload = payloads[index] as Uint8Array;
    const message = new Uint8Array(sender.overhead + payload.length);
    // The wrong turn is refused, and changes nothing.
    expect(() => receiver.write(payload, message)).toThrow(TypeError);
    expect(() => sender.read(message)).toThrow(TypeError);
    expect(sender.write(payload, message)).toBe(message.length);
    expect(receiver.read(change(message, index)).payload).toEqual(payload);
  }
}

function expectFailure(handshake: Handshake, changeResponder: Partial<HandshakeOptions>): void {
  const pair = sides(handshake, changeResponder);
  expect(() => run(pair, handshake.payloads)).toThrow(expect.objectContaining({ code: 'session.handshake-failed' }) as Error);
  expect(pair.every((side) => side.done !== undefined)).toBe(false);
}

describe('any protocol, keys, prologue and payloads', () => {
  test('end in the same hash, the same keys and the same exported secrets', () => {
    fc.assert(
      fc.property(handshakes, (handshake) => {
        const pair = sides(handshake);
        run(pair, handshake.payloads);
        const [ours, theirs] = pair.map((side) => side.done);
        const label = Uint8Array.of(1);
        expect(ours?.handshakeHash).toEqual(theirs?.handshakeHash);
        expect([ours?.send, ours?.receive]).toEqual([theirs?.receive, theirs?.send]);
        expect(ours?.exportSecret(label)).toEqual(theirs?.exportSecret(label));
        // It is over, for good.
        for (const side of pair) {
          expect(() => side.write(label, new Uint8Array(100))).toThrow(TypeError);
          expect(() => side.read(label)).toThrow(TypeError);
        }
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('another prologue fails', () => {
    fc.assert(
      fc.property(handshakes, bytes(300), (handshake, prologue) => {
        fc.pre(prologue.join() !== handshake.prologue.join());
        expectFailure(handshake, { prologue });
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('another psk in any place fails; another number of them is refused with both numbers', () => {
    fc.assert(
      fc.property(handshakes, key, fc.nat(), (handshake, other, place) => {
        const psks = pskList(handshake);
        fc.pre(psks.length > 0);
        const at = place % psks.length;
        fc.pre(other.join() !== psks[at]?.join());
        expectFailure(handshake, { psks: psks.with(at, other) });
        const message = `takes ${psks.length} pre-shared keys, not ${psks.length - 1}`;
        expect(() => sides(handshake, { psks: psks.slice(1) })).toThrow(message);
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('a bit that is flipped anywhere, or a message cut anywhere, never ends in agreement, and fails with one code', () => {
    fc.assert(
      fc.property(handshakes, fc.nat(), fc.nat(), fc.boolean(), (handshake, which, where, cut) => {
        const pair = sides(handshake);
        const target = which % handshake.protocol.pattern.messages.length;
        const spoil = (message: Uint8Array): Uint8Array => {
          const bit = where % (message.length * 8);
          return cut ? message.subarray(0, bit >> 3) : message.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        };
        try {
          // What is in clear can be changed unnoticed for now: then the next message, or the hash, tells.
          run(pair, handshake.payloads.with(target, new Uint8Array(0)), (message, index) => (index === target ? spoil(message) : message));
        } catch (error) {
          expect(error).toMatchObject({ code: 'session.handshake-failed' });
          return;
        }
        expect(pair[0].done?.handshakeHash).not.toEqual(pair[1].done?.handshakeHash);
        expect(pair[0].done?.send).not.toEqual(pair[1].done?.receive);
      }),
      { numRuns: 2 * NUM_RUNS },
    );
  });

  test('whatever comes as a message is read or fails with one code', () => {
    fc.assert(
      fc.property(handshakes, bytes(2000), (handshake, message) => {
        const [, responder] = sides(handshake);
        try {
          responder.read(message);
        } catch (error) {
          expect(error).toMatchObject({ code: 'session.handshake-failed' });
          expect(responder.turn).toBe('over');
        }
      }),
      { numRuns: NUM_RUNS },
    );
  });
});
