import { readFileSync } from 'node:fs';
import type { CryptoProvider } from '@matryoshka/session';
import { replayVector } from '@matryoshka/session/contract';
import { z } from 'zod';
import { namesNoiseProtocol, readVector } from './vector-format.ts';

/** What came of the vectors of one file. */
export interface FileResult {
  readonly file: string;
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** How many were skipped for each reason; absent where none was. */
  readonly skippedBecause?: Readonly<Record<string, number>>;
}

/** A file that is no vector file at all; the message names it. */
export class VectorFileError extends Error {
  /** Whether it holds JSON, or text that never was any, about something else: of no interest where a whole folder is replayed. */
  readonly unrelated: boolean;

  constructor(file: string, what: string, unrelated: boolean) {
    super(`${file}: ${what}`);
    this.name = new.target.name;
    this.unrelated = unrelated;
  }
}

// The usual form, or a plain list.
const file = z.union([z.looseObject({ vectors: z.array(z.unknown()) }).transform(({ vectors }) => vectors), z.array(z.unknown())]);

/**
 * Replays every vector of a file on `provider`. `onFailure` is told the position, from 0, the name and the reason of
 * each that fails.
 * @throws VectorFileError for a file that cannot be read, or holds no Noise vectors
 */
export function replayFile(
  path: string,
  provider: CryptoProvider,
  onFailure: (index: number, name: string, reason: string) => void,
): FileResult {
  const vectors = readVectors(path);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const skippedBecause: Record<string, number> = {};
  for (const [index, raw] of vectors.entries()) {
    const read = readVector(raw);
    const outcome = read.type === 'vector' ? replayVector(provider, read.vector) : read;
    counts[outcome.type] += 1;
    if (outcome.type === 'failed') onFailure(index, read.name, outcome.reason);
    else if (outcome.type === 'skipped') skippedBecause[outcome.reason] = (skippedBecause[outcome.reason] ?? 0) + 1;
  }
  return { file: path, total: vectors.length, ...counts, ...(counts.skipped > 0 && { skippedBecause }) };
}

function readVectors(path: string): readonly unknown[] {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new VectorFileError(path, `cannot be read: ${(error as Error).message}`, false);
  }
  const parsed = file.safeParse(parseJson(path, content));
  if (!parsed.success || !parsed.data.some(namesNoiseProtocol)) {
    throw new VectorFileError(path, 'not a vector file: {"vectors": [{"protocol_name": "Noise_...", ...}]} expected', true);
  }
  return parsed.data;
}

function parseJson(path: string, content: string): unknown {
  try {
    // Some editors begin a file with a byte order mark.
    return JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new VectorFileError(path, `not JSON: ${(error as Error).message}`, !/^\s*[[{]/.test(content));
  }
}
