import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MatryoshkaNode, type Stream, createNode } from '@matryoshka/node';
import { memoryNetwork, systemClock } from '@matryoshka/transport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FILE_PROTOCOL, type FileMessage, FileMessageReader, encodeFileMessage } from './file-message.ts';
import { FileRefusal } from './file-refusal.ts';
import type { StoredFile } from './incoming-file.ts';
import { type ReceiveFileOptions, receiveFile } from './receive-file.ts';
import { type FileSource, sendFile } from './send-file.ts';

// Two nodes in one process over a network in memory; only the files are real.

let directory: string;
let alice: MatryoshkaNode;
let bob: MatryoshkaNode;
let received: Promise<StoredFile>;
let receiveOptions: Partial<ReceiveFileOptions>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'matryoshka-transfer-'));
  receiveOptions = {};
  const network = memoryNetwork({ clock: systemClock });
  const start = (host: string): Promise<MatryoshkaNode> =>
    createNode({ transports: [network.transport({ host })], listen: [`${host}:999`] });
  [alice, bob] = await Promise.all([start('10.1.0.1'), start('10.2.0.1')]);
  received = new Promise((resolve, reject) => {
    bob.serve(FILE_PROTOCOL, (stream) => void receiveFile(stream, { directory, ...receiveOptions }).then(resolve, reject));
  });
  received.catch(() => {});
});

afterEach(async () => {
  await Promise.all([alice.close(), bob.close()]);
  rmSync(directory, { recursive: true, force: true });
});

async function open(): Promise<Stream> {
  const connection = await alice.connect(`${bob.peerId}@10.2.0.1:999`);
  return connection.openStream(FILE_PROTOCOL);
}

function source(name: string, bytes: Uint8Array, size: number = bytes.length): FileSource {
  let at = 0;
  return {
    name,
    size,
    read: async (buffer) => {
      // Shorter than asked for, as reads may be.
      const length = Math.min(buffer.length, bytes.length - at, 200_000);
      buffer.set(bytes.subarray(at, at + length));
      at += length;
      return length;
    },
  };
}

/** A sender that says what it likes; resolves with what it was answered. */
async function say(...parts: readonly Uint8Array[]): Promise<FileMessage[]> {
  const stream = await open();
  const reader = new FileMessageReader();
  const answers: FileMessage[] = [];
  let next = 0;
  const more = (): void => {
    const part = parts[next++];
    if (part !== undefined) stream.write(part);
    // After an offer alone there is an answer to wait for.
    if (next >= parts.length && next !== 1) stream.end();
  };
  return new Promise((resolve) => {
    stream.attach({
      data: (bytes) => {
        let rest = bytes;
        while (rest.length > 0) {
          const read = reader.push(rest);
          if (read === undefined) return;
          answers.push(read.message);
          if (read.message.type === 'accept') more();
          else stream.end();
          ({ rest } = read);
        }
      },
      closed: () => resolve(answers),
    });
    more();
    if (parts.length === 0) stream.end();
  });
}

const offer = (name: string, size: number): Uint8Array => encodeFileMessage({ type: 'offer', size, name });
const digest = (bytes: Uint8Array): Uint8Array =>
  encodeFileMessage({ type: 'digest', sha256: new Uint8Array(createHash('sha256').update(bytes).digest()) });

describe('a file', () => {
  test.each([0, 1, 70_000, 5_000_000])('of %d bytes arrives, and both ends have one digest', async (length) => {
    const bytes = randomBytes(length);
    const progress: number[] = [];
    const receipt = await sendFile(await open(), source('photo.jpg', bytes), { onProgress: (sent) => progress.push(sent) });
    const stored = await received;
    expect(receipt).toMatchObject({ size: length, storedAs: 'photo.jpg' });
    expect(Buffer.from(receipt.sha256).equals(stored.sha256)).toBe(true);
    expect(readFileSync(stored.file).equals(bytes)).toBe(true);
    expect(readdirSync(directory)).toEqual(['photo.jpg']);
    expect(progress.at(-1)).toBe(length === 0 ? undefined : length);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });

  test('that is refused: the sender hears the reason, and nothing is written', async () => {
    receiveOptions = { refuse: () => new FileRefusal('sender-refused') };
    await expect(sendFile(await open(), source('a', randomBytes(100_000)))).rejects.toMatchObject({ code: 'file.sender-refused' });
    await expect(received).rejects.toMatchObject({ reason: 'sender-refused' });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('whose receiver stops in the middle: typed, and nothing is left', async () => {
    const controller = new AbortController();
    receiveOptions = { signal: controller.signal, onProgress: (bytes) => bytes > 1_000_000 && controller.abort() };
    await expect(sendFile(await open(), source('a', randomBytes(20_000_000)))).rejects.toMatchObject({ code: 'file.stopped' });
    await expect(received).rejects.toMatchObject({ reason: 'stopped' });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('whose sender stops in the middle: nothing is left', async () => {
    const controller = new AbortController();
    const sending = sendFile(await open(), source('a', randomBytes(20_000_000)), {
      signal: controller.signal,
      onProgress: (sent) => sent > 1_000_000 && controller.abort(),
    });
    await expect(sending).rejects.toMatchObject({ code: 'aborted' });
    await expect(received).rejects.toMatchObject({ code: 'aborted' });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('whose receiver goes away: the sender hears why', async () => {
    receiveOptions = { onProgress: (bytes) => void (bytes > 1_000_000 && bob.close()) };
    await expect(sendFile(await open(), source('a', randomBytes(20_000_000)))).rejects.toMatchObject({ code: 'shutdown' });
    await expect(received).rejects.toBeDefined();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('that becomes shorter while it is sent is not stored', async () => {
    await expect(sendFile(await open(), source('a', randomBytes(1000), 5000))).rejects.toMatchObject({ code: 'file.changed' });
    await expect(received).rejects.toBeDefined();
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('a sender that lies', () => {
  const bytes = randomBytes(100);
  test.each<[string, readonly Uint8Array[], string]>([
    ['about its name', [offer('../../x', 1)], 'name-invalid'],
    ['about the size, and sends less', [offer('a', 200), bytes], 'size-mismatch'],
    ['about the size, and sends more', [offer('a', 100), Buffer.concat([bytes, bytes, bytes, bytes])], 'protocol'],
    ['about the digest', [offer('a', 100), Buffer.concat([bytes, digest(Uint8Array.of(1))])], 'digest-mismatch'],
    ['and sends something else instead of an offer', [digest(bytes)], 'protocol'],
    ['and sends content before it is asked for', [Buffer.concat([offer('a', 100), bytes])], 'protocol'],
    ['and offers twice', [offer('a', 100), Buffer.concat([bytes, offer('b', 1)])], 'protocol'],
    ['and goes on after the end', [offer('a', 100), Buffer.concat([bytes, digest(bytes), bytes])], 'protocol'],
    ['and says nothing', [], 'size-mismatch'],
    ['about what it speaks', [Uint8Array.of(0xee, 0xff, 0xff)], 'protocol'],
  ])('%s gets a reason, and nothing is left', async (_what, parts, reason) => {
    const answers = await say(...parts);
    expect(answers.at(-1)).toMatchObject({ type: 'refused', reason });
    await expect(received).rejects.toMatchObject({ reason });
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('a receiver that lies', () => {
  test.each<[string, Uint8Array, string]>([
    ['about the digest', encodeFileMessage({ type: 'stored', size: 3, sha256: new Uint8Array(32), name: 'a' }), 'file.receipt-mismatch'],
    ['and speaks like a sender', offer('a', 3), 'wire.invalid'],
    ['about what it speaks', Uint8Array.of(0xee, 0, 0), 'wire.unknown-critical'],
  ])('%s is found out', async (_what, answer, code) => {
    alice.serve('/lie', (stream) => {
      stream.attach({ data: () => {}, end: () => stream.end() });
      stream.write(Buffer.concat([encodeFileMessage({ type: 'accept' }), answer]));
    });
    const connection = await bob.connect(`${alice.peerId}@10.1.0.1:999`);
    await expect(sendFile(await connection.openStream('/lie'), source('a', Uint8Array.of(1, 2, 3)))).rejects.toMatchObject({ code });
  });
});
