import type { NoiseVector } from '@matryoshka/session/contract';
import { z } from 'zod';

/** A vector in the words of this project, or why it is none, or none that can be replayed. */
export type ReadVector =
  | { readonly type: 'vector'; readonly name: string; readonly vector: NoiseVector }
  | { readonly type: 'skipped' | 'failed'; readonly name: string; readonly reason: string };

// null and '' in the place of a key mean that there is none; of a prologue, that it is empty.
const text = z.string().nullish();
const texts = z.array(z.string()).nullish();

// Fields we do not know say nothing about the bytes; those we know must be what they should be.
const schema = z.looseObject({
  // cacophony and snow have only the first; noise-c has others for people, and the parts.
  protocol_name: text,
  name: text,
  pattern: text,
  dh: text,
  hybrid: text,
  cipher: text,
  hash: text,

  init_prologue: text,
  init_psks: texts,
  init_psk: text,
  init_static: text,
  init_ephemeral: text,
  init_remote_static: text,
  init_public_static: text,
  init_kem_seed: text,
  init_kem_randomness: text,
  init_hybrid_ephemeral: text,
  init_ssk: text,
  resp_prologue: text,
  resp_psks: texts,
  resp_psk: text,
  resp_static: text,
  resp_ephemeral: text,
  resp_remote_static: text,
  resp_public_static: text,
  resp_kem_seed: text,
  resp_kem_randomness: text,
  resp_hybrid_ephemeral: text,
  resp_ssk: text,

  handshake_hash: text,
  fallback: z.boolean().nullish(),
  fail: z.boolean().nullish(),
  messages: z.array(z.object({ payload: text, ciphertext: z.string() })).min(1),
});
type Raw = z.infer<typeof schema>;

/** Whether a value looks like a Noise vector at all: it names a protocol. */
export function namesNoiseProtocol(value: unknown): boolean {
  return nameOf(value)?.startsWith('Noise') === true;
}

/** One vector of a file of cacophony, snow or noise-c. */
export function readVector(value: unknown): ReadVector {
  const name = nameOf(value) ?? 'unnamed';
  const parsed = schema.safeParse(value);
  if (!parsed.success) return { type: 'failed', name, reason: z.prettifyError(parsed.error) };
  const raw = parsed.data;
  // Both change what is sent, or what keys there are in the end, beyond what the protocol's name says.
  if (raw.fallback === true) return { type: 'skipped', name, reason: 'the fallback modifier' };
  if (isGiven(raw.init_ssk) || isGiven(raw.resp_ssk)) return { type: 'skipped', name, reason: 'a second symmetric key (SSK)' };
  return { type: 'vector', name, vector: toVector(name, raw) };
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  for (const field of ['protocol_name', 'name']) if (typeof fields[field] === 'string') return fields[field];
  const { pattern, dh, hybrid, cipher, hash } = fields;
  const parts = [pattern, typeof hybrid === 'string' ? `${String(dh)}+${hybrid}` : dh, cipher, hash];
  return parts.every((part) => typeof part === 'string') ? ['Noise', ...parts].join('_') : undefined;
}

function toVector(name: string, raw: Raw): NoiseVector {
  const fields = {
    init_prologue: raw.init_prologue ?? undefined,
    init_psks: raw.init_psks ?? (isGiven(raw.init_psk) ? [raw.init_psk] : undefined),
    init_static: first(raw.init_static),
    init_ephemeral: first(raw.init_ephemeral),
    // Old files name the key, not who is given it.
    init_remote_static: first(raw.init_remote_static, raw.resp_public_static),
    init_kem_seed: first(raw.init_kem_seed, raw.init_hybrid_ephemeral),
    init_kem_randomness: first(raw.init_kem_randomness),
    resp_prologue: raw.resp_prologue ?? undefined,
    resp_psks: raw.resp_psks ?? (isGiven(raw.resp_psk) ? [raw.resp_psk] : undefined),
    resp_static: first(raw.resp_static),
    resp_ephemeral: first(raw.resp_ephemeral),
    resp_remote_static: first(raw.resp_remote_static, raw.init_public_static),
    resp_kem_seed: first(raw.resp_kem_seed),
    resp_kem_randomness: first(raw.resp_kem_randomness, raw.resp_hybrid_ephemeral),
    handshake_hash: first(raw.handshake_hash),
    fail: raw.fail ?? undefined,
  };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const messages = raw.messages.map(({ payload, ciphertext }) => ({ payload: payload ?? '', ciphertext }));
  return { protocol_name: name, ...given, messages };
}

function first(...values: readonly (string | null | undefined)[]): string | undefined {
  return values.find(isGiven);
}

function isGiven(value: string | null | undefined): value is string {
  return value !== undefined && value !== null && value !== '';
}
