import { type Handed, carriedIn } from './handed.ts';
import { identityForms, knowledgeOf, messagesOf } from './knowledge.ts';
import { INTERVAL_MS, type Stage } from './stage.ts';

const BLOCK_LENGTH = 16;
/** A block of fewer different bytes says nothing: zeros, counters, endpoints. */
const MIN_DIFFERENT_BYTES = 10;
/** Series that move together so much are the same one to whoever compares them: a few sizes, and hundreds of intervals. */
const SAME_SIZES = 0.9;
const SAME_TIMES = 0.5;
/** Fewer may move together by chance. */
const MIN_PAIRS = 12;
/** Handshakes have one size everywhere: what is shorter or as long is none of the data. */
const OPENING_LENGTH = 384;

/** What two nodes find equal when they put together all that they were handed; sorted. */
export function equalOf(stage: Stage, one: string, other: string): readonly string[] {
  const both = [one, other];
  const known = both.map((name) => knowledgeOf(stage, name));
  const shared = (kind: 'addresses' | 'identities'): string[] =>
    (known[0]?.[kind] ?? []).filter((name) => !both.includes(name) && known[1]?.[kind].includes(name) === true);
  const messages = both.map((name) => messagesOf(stage, name));
  const found = [
    ...shared('identities').map((name) => `identity of ${name}`),
    ...shared('addresses').map((name) => `address of ${name}`),
    ...(intersects(ports(messages[0] ?? []), ports(messages[1] ?? [])) ? ['port'] : []),
    ...equalBlocks(stage, one, other),
    ...equalShapes(messages[0] ?? [], messages[1] ?? []),
  ];
  return [...new Set(found)].toSorted();
}

function ports(handed: readonly Handed[]): ReadonlySet<bigint> {
  return new Set(handed.flatMap(({ message }) => ('port' in message ? [message.port] : [])));
}

function intersects<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return [...a].some((value) => b.has(value));
}

// ---- blocks ----------------------------------------------------------------------------------------------------------

/** Equal blocks at whatever offsets: inner ciphertext, or something that nobody has thought of. */
function equalBlocks(stage: Stage, one: string, other: string): readonly string[] {
  const carried = [one, other].map((name) => messagesOf(stage, name).flatMap((handed) => carriedIn(handed) ?? []));
  const found = common(carried[0] ?? [], carried[1] ?? []).length > 0 ? ['inner ciphertext'] : [];
  // Whatever else they were handed, records and handshakes alike, without what was counted already.
  const named = stage.net.names.flatMap((name) => identityForms(stage, name));
  const rest = [one, other].map((name) => {
    const messages = messagesOf(stage, name);
    const handshakes = stage.witness(name).opened.filter(({ kind }) => kind === 'handshake');
    const ofMessages = messages.flatMap((handed) => without([handed.bytes], [...named, portOf(handed), carriedIn(handed)]));
    return [
      ...ofMessages,
      ...without(
        handshakes.map(({ plaintext }) => plaintext),
        named,
      ),
    ];
  });
  // At every offset of both: it is little.
  const blocks = new Set(blocksOf(rest[0] ?? [], 1));
  const equal = common(
    [...blocks].map((block) => Buffer.from(block, 'latin1')),
    rest[1] ?? [],
  );
  return [...found, ...equal.map((block) => `block ${Buffer.from(block, 'latin1').toString('hex')}`)];
}

/** Blocks that are in pieces of both; of whatever they have in common in 31 bytes or more there is one. */
function common(one: readonly Uint8Array[], other: readonly Uint8Array[]): readonly string[] {
  const blocks = new Set(blocksOf(one, BLOCK_LENGTH));
  const found = new Set<string>();
  for (const block of blocksOf(other, 1)) if (blocks.has(block) && new Set(block).size >= MIN_DIFFERENT_BYTES) found.add(block);
  return [...found];
}

function* blocksOf(pieces: readonly Uint8Array[], step: number): Generator<string> {
  for (const piece of pieces) {
    const text = Buffer.from(piece).toString('latin1');
    for (let at = 0; at + BLOCK_LENGTH <= text.length; at += step) yield text.slice(at, at + BLOCK_LENGTH);
  }
}

/** What is left of `whole` when parts are cut out of it. */
function without(whole: readonly Uint8Array[], parts: readonly (Uint8Array | undefined)[]): readonly Uint8Array[] {
  let pieces: readonly Buffer[] = whole.map((bytes) => Buffer.from(bytes));
  for (const part of parts) {
    if (part === undefined) continue;
    pieces = pieces.flatMap((piece) => {
      const at = piece.indexOf(part);
      return at < 0 ? [piece] : [piece.subarray(0, at), piece.subarray(at + part.length)];
    });
  }
  return pieces;
}

/** The relay port in a message, as its bytes. */
function portOf({ message }: Handed): Uint8Array | undefined {
  if (!('port' in message)) return undefined;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, message.port);
  return bytes;
}

// ---- sizes and times -------------------------------------------------------------------------------------------------

/** One direction of one relay link, as it was seen: the largest unit and the bytes in each interval of time. */
interface Series {
  readonly largest: readonly number[];
  readonly bytes: readonly number[];
}

function equalShapes(one: readonly Handed[], other: readonly Handed[]): readonly string[] {
  const [mine, theirs] = [seriesOf(one), seriesOf(other)];
  const best = (compare: (a: Series, b: Series) => number): number => Math.max(0, ...mine.flatMap((a) => theirs.map((b) => compare(a, b))));
  // Sizes are compared where both saw something, times everywhere.
  const sizes = best((a, b) => correlation(a.largest, b.largest, (x, y) => x > 0 && y > 0));
  const times = best((a, b) => correlation(a.bytes, b.bytes, () => true));
  return [...(sizes >= SAME_SIZES ? ['sizes'] : []), ...(times >= SAME_TIMES ? ['times'] : [])];
}

function seriesOf(handed: readonly Handed[]): readonly Series[] {
  const series = new Map<string, { readonly largest: number[]; readonly bytes: number[] }>();
  const intervals = Math.ceil(Math.max(0, ...handed.map(({ atMs }) => atMs)) / INTERVAL_MS) + 1;
  for (const { atMs, key, message } of handed) {
    if (message.type !== 'relay-data' || message.bytes.length <= OPENING_LENGTH) continue;
    const name = `${key} ${message.port}`;
    const zeros = (): number[] => Array.from({ length: intervals }, () => 0);
    let one = series.get(name);
    if (one === undefined) series.set(name, (one = { largest: zeros(), bytes: zeros() }));
    const at = Math.floor(atMs / INTERVAL_MS);
    one.largest[at] = Math.max(one.largest[at] as number, message.bytes.length);
    one.bytes[at] = (one.bytes[at] as number) + message.bytes.length;
  }
  return [...series.values()];
}

/** Pearson's, of the square roots, so that the largest do not decide alone; 0 where one of them never changes. */
function correlation(one: readonly number[], other: readonly number[], counts: (x: number, y: number) => boolean): number {
  const pairs = one.slice(0, other.length).map((x, i) => [x, other[i] as number] as const);
  const roots = pairs.filter(([x, y]) => counts(x, y)).map(([x, y]) => [Math.sqrt(x), Math.sqrt(y)] as const);
  const mean = (side: 0 | 1): number => roots.reduce((sum, pair) => sum + pair[side], 0) / roots.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let [both, squareX, squareY] = [0, 0, 0];
  for (const [x, y] of roots) {
    both += (x - meanX) * (y - meanY);
    squareX += (x - meanX) ** 2;
    squareY += (y - meanY) ** 2;
  }
  return roots.length < MIN_PAIRS || squareX === 0 || squareY === 0 ? 0 : both / Math.sqrt(squareX * squareY);
}
