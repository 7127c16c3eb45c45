import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { portableProvider as provider } from '../portable/provider.ts';
import { HandshakeState } from './handshake-state.ts';
import { PATTERN_NAMES, namedPattern } from './pattern-catalog.ts';
import file from './patterns.digests.json' with { type: 'json' };
import { type Role, senderOf } from './pattern.ts';
import { type NoiseProtocol, parseProtocolName } from './protocol-name.ts';

// What tooling/interop/python/make_vectors.py makes its digests from.
const PROLOGUE_LENGTHS = [0, 15, 1000] as const;
const PAYLOADS = ['', 'matryoshka', 'in a matryoshka', '', 'the smallest doll does not open', '\0'.repeat(17), 'end'];
const NOTHING = new Uint8Array(0);

function fixed(label: string, outputLength: number): Uint8Array {
  return createHash('shake256', { outputLength }).update(`matryoshka test vector: ${label}`).digest();
}

function side(protocol: NoiseProtocol, role: Role): HandshakeState {
  const [own, other, remote] = role === 'initiator' ? (['init', 'resp', 'responder'] as const) : (['resp', 'init', 'initiator'] as const);
  const psks = protocol.pattern.messages.flat().filter((token) => token === 'psk');
  return new HandshakeState({
    provider,
    random: { fill: (bytes) => bytes.set(fixed(`${own} kem randomness`, bytes.length)) },
    protocol,
    role,
    prologue: fixed('prologue', PROLOGUE_LENGTHS[protocol.name.length % 3] as number),
    psks: psks.map((_, index) => fixed(`psk ${index}`, 32)),
    staticKey: provider.dhKeyPair(fixed(`${own} static`, 32)),
    remoteStatic: protocol.pattern.preMessages.includes(remote) ? provider.dhKeyPair(fixed(`${other} static`, 32)).publicKey : undefined,
    ephemeral: provider.dhKeyPair(fixed(`${own} ephemeral`, 32)),
    kemEphemeral: provider.kemKeyPair(fixed(`${own} kem seed`, 64)),
  });
}

function digestOf(name: string): string {
  const protocol = parseProtocolName(name);
  const [initiator, responder] = [side(protocol, 'initiator'), side(protocol, 'responder')];
  const digest = createHash('sha256');
  const payloads = PAYLOADS.map((text) => new TextEncoder().encode(text));
  const handshakeLength = protocol.pattern.messages.length;
  for (const [index, payload] of payloads.slice(0, handshakeLength).entries()) {
    const [sender, receiver] = senderOf(index) === 'initiator' ? [initiator, responder] : [responder, initiator];
    const message = new Uint8Array(sender.overhead + payload.length);
    expect(sender.write(payload, message)).toBe(message.length);
    expect(receiver.read(message).payload).toEqual(payload);
    digest.update(message);
  }
  const [ours, theirs] = [initiator.done?.transport(), responder.done?.transport()];
  for (const [offset, payload] of payloads.slice(handshakeLength).entries()) {
    const forward = handshakeLength === 1 || senderOf(handshakeLength + offset) === 'initiator';
    const [send, receive] = forward ? [ours?.send, theirs?.receive] : [theirs?.send, ours?.receive];
    const message = new Uint8Array(payload.length + 16);
    expect(send?.encryptWithAd(NOTHING, payload, message)).toBe(message.length);
    expect(receive?.decryptWithAd(NOTHING, message, new Uint8Array(payload.length))).toBe(true);
    digest.update(message);
  }
  expect(ours?.receive === undefined && theirs?.send === undefined).toBe(handshakeLength === 1);
  expect(initiator.done?.handshakeHash).toEqual(responder.done?.handshakeHash);
  return digest.update(initiator.done?.handshakeHash ?? NOTHING).digest('hex');
}

const names = Object.keys(file.digests);

describe('every pattern, with psks in every place and with hfs, sends what an independent implementation sends', () => {
  test.each(PATTERN_NAMES)('%s', (base) => {
    const ours = names.filter((name) => new RegExp(`^Noise_${base}(?:hfs|psk|_)`).test(name));
    expect(ours.length).toBeGreaterThanOrEqual(4);
    for (const name of ours) expect([name, digestOf(name)]).toEqual([name, file.digests[name as keyof typeof file.digests]]);
  });

  test('there is one of every kind', () => {
    const modifiers = new Set(names.map((name) => name.split('_')[1] as string));
    const places = (base: string): readonly string[] =>
      Array.from({ length: namedPattern(base).messages.length + 1 }, (_, at) => `psk${at}`);
    const wanted = PATTERN_NAMES.flatMap((base) => [
      base,
      ...places(base).map((place) => base + place),
      ...places(base).flatMap((first, at) =>
        places(base)
          .slice(at + 1)
          .map((second) => `${base}${first}+${second}`),
      ),
      base + places(base).join('+'),
      ...(namedPattern(base).messages.length === 1
        ? []
        : [`${base}hfs`, ...places(base).map((place) => `${base}hfs+${place}`), `${base}hfs+${places(base).join('+')}`]),
    ]);
    expect(modifiers).toEqual(new Set(wanted));
  });
});
