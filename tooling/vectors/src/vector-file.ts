import { readFileSync } from 'node:fs';
import type { CryptoProvider } from '@matryoshka/session';
import { type NoiseVector, replayVector } from '@matryoshka/session/contract';
import { z } from 'zod';

/** What came of the vectors of one file. */
export interface FileResult {
  readonly file: string;
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A file that is no vector file at all; the message names it. */
export class VectorFileError extends Error {
  constructor(file: string, what: string) {
    super(`${file}: ${what}`);
    this.name = new.target.name;
  }
}

const file = z.looseObject({ vectors: z.array(z.unknown()).min(1) });

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);
const texts = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? undefined);

// Fields we do not know say nothing about the bytes; those we know must be what they should be.
const vector = z.looseObject({
  protocol_name: z.string(),
  init_prologue: text,
  init_psks: texts,
  init_static: text,
  init_ephemeral: text,
  init_remote_static: text,
  init_kem_seed: text,
  init_kem_randomness: text,
  resp_prologue: text,
  resp_psks: texts,
  resp_static: text,
  resp_ephemeral: text,
  resp_remote_static: text,
  resp_kem_seed: text,
  resp_kem_randomness: text,
  handshake_hash: text,
  messages: z.array(z.object({ payload: z.string(), ciphertext: z.string() })).min(1),
});

/**
 * Replays every vector of a file on `provider`. `onFailure` is told the position, from 0, the name and the reason of
 * each that fails.
 * @throws VectorFileError for a file that cannot be read, or holds no vectors
 */
export function replayFile(
  path: string,
  provider: CryptoProvider,
  onFailure: (index: number, name: string, reason: string) => void,
): FileResult {
  const vectors = readVectors(path);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [index, raw] of vectors.entries()) {
    const parsed = vector.safeParse(raw);
    try {
      if (!parsed.success) throw new TypeError(z.prettifyError(parsed.error));
      counts[replayVector(provider, parsed.data as NoiseVector)] += 1;
    } catch (error) {
      counts.failed += 1;
      onFailure(index, parsed.data?.protocol_name ?? 'unnamed', error instanceof Error ? error.message : String(error));
    }
  }
  return { file: path, total: vectors.length, ...counts };
}

function readVectors(path: string): readonly unknown[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new VectorFileError(
      path,
      error instanceof SyntaxError ? `not JSON: ${error.message}` : `cannot be read: ${(error as Error).message}`,
    );
  }
  const parsed = file.safeParse(json);
  if (!parsed.success) throw new VectorFileError(path, `not a vector file: ${z.prettifyError(parsed.error)}`);
  return parsed.data.vectors;
}
