import { createHash } from 'node:crypto';
import { MatryoshkaError, type Stream } from '@matryoshka/node';
import { CliError } from '../cli-error.ts';
import { type FileMessage, FileMessageReader, encodeFileMessage } from './file-message.ts';
import { printable } from './file-name.ts';

/** The file is read in pieces of this size, one ahead. */
const READ_LENGTH: number = 256 * 1024;

/** What is sent: `OutgoingFile`, or anything that reads like one. */
export interface FileSource {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Fills `buffer` from its beginning, as far as there is something; 0 at the end. */
  read(buffer: Uint8Array): Promise<number>;
}

/** The receiver has the file, whole. */
export interface Receipt {
  /** In bytes. */
  readonly size: number;
  /** Of what was sent and what was stored, which are the same, 32 bytes. */
  readonly sha256: Uint8Array;
  /** The name it has at the receiver. */
  readonly storedAs: string;
  /** From the offer to the receipt. */
  readonly seconds: number;
}

export interface SendFileOptions {
  /** Bytes of content so far. */
  readonly onProgress?: (sent: number) => void;
  readonly signal?: AbortSignal;
}

/** What the receiver has said and what it means for the one who sends. */
class Answers {
  #accepted = false;
  #stored: Extract<FileMessage, { type: 'stored' }> | undefined;
  #failure: Error | undefined;
  #writable = true;
  #wake: (() => void) | undefined;
  readonly #stream: Stream;
  readonly #reader = new FileMessageReader();

  constructor(stream: Stream) {
    this.#stream = stream;
    stream.attach({
      data: (bytes) => this.#data(bytes),
      writable: () => {
        this.#writable = true;
        this.#wake?.();
      },
      closed: (error) => this.fail(error ?? new CliError('file.no-receipt', 'the receiver ended without a receipt')),
    });
  }

  /** The first failure stands. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  accepted(): Promise<boolean> {
    return this.#until(() => this.#accepted);
  }

  stored(): Promise<Extract<FileMessage, { type: 'stored' }>> {
    return this.#until(() => this.#stored);
  }

  /** Sends content; resolves when more may follow. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#writable = this.#stream.write(bytes);
    if (!this.#writable) await this.#until(() => this.#writable);
  }

  async #until<T>(condition: () => T): Promise<NonNullable<T>> {
    for (;;) {
      const result = condition();
      if (result !== undefined && result !== null && result !== false) return result;
      if (this.#failure !== undefined) throw this.#failure;
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #data(bytes: Uint8Array): void {
    let rest = bytes;
    try {
      while (rest.length > 0) {
        const read = this.#reader.push(rest);
        if (read === undefined) return;
        this.#message(read.message);
        rest = read.rest;
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : new MatryoshkaError('bug', String(error)));
    }
  }

  #message(message: FileMessage): void {
    if (message.type === 'accept') this.#accepted = true;
    else if (message.type === 'stored') this.#stored = message;
    else if (message.type === 'refused')
      this.fail(new CliError(`file.${message.reason}`, `the receiver does not take the file: ${printable(message.text)}`));
    else this.fail(new MatryoshkaError('wire.invalid', `the receiver sent ${message.type}, which only senders do`));
    this.#wake?.();
  }
}

/**
 * Sends a file over a stream of the file protocol and waits for the receipt, comparing digests. Two pieces of the file
 * are in memory at a time.
 * @throws CliError `file.…` what the receiver refuses with, `file.changed`, `file.unreadable`, `file.receipt-mismatch`;
 * MatryoshkaError why the stream ended, `aborted`
 */
export async function sendFile(stream: Stream, file: FileSource, options: SendFileOptions = {}): Promise<Receipt> {
  const { signal } = options;
  const answers = new Answers(stream);
  const abort = (): void => answers.fail(new MatryoshkaError('aborted'));
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await exchange(stream, file, answers, options);
  } catch (error) {
    if (!stream.closed) stream.reset('aborted');
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

async function exchange(stream: Stream, file: FileSource, answers: Answers, { onProgress }: SendFileOptions): Promise<Receipt> {
  const startedMs = performance.now();
  await answers.write(encodeFileMessage({ type: 'offer', size: file.size, name: file.name }));
  await answers.accepted();
  const sha256 = await sendContent(file, answers, onProgress);
  await answers.write(encodeFileMessage({ type: 'digest', sha256 }));
  stream.end();
  const stored = await answers.stored();
  if (stored.size !== file.size || Buffer.compare(stored.sha256, sha256) !== 0) {
    throw new CliError('file.receipt-mismatch', `the receiver says that it stored ${stored.size} bytes with another SHA-256 than was sent`);
  }
  return { size: file.size, sha256, storedAs: printable(stored.name), seconds: (performance.now() - startedMs) / 1000 };
}

async function sendContent(file: FileSource, answers: Answers, onProgress: SendFileOptions['onProgress']): Promise<Uint8Array> {
  const hash = createHash('sha256');
  let [piece, ahead] = [new Uint8Array(READ_LENGTH), new Uint8Array(READ_LENGTH)];
  let sent = 0;
  let reading = read(file, piece);
  while (sent < file.size) {
    // Each piece waits for its turn; the next one is read meanwhile.
    // oxlint-disable-next-line no-await-in-loop
    const length = Math.min(await reading, file.size - sent);
    if (length === 0)
      throw new CliError('file.changed', `${file.name} has become shorter while it was sent: ${sent} bytes, not ${file.size}`);
    const bytes = piece.subarray(0, length);
    [piece, ahead] = [ahead, piece];
    if (sent + length < file.size) reading = read(file, piece);
    hash.update(bytes);
    // oxlint-disable-next-line no-await-in-loop
    await answers.write(bytes);
    sent += length;
    onProgress?.(sent);
  }
  return new Uint8Array(hash.digest());
}

/** A failure is heard when the piece is asked for, and must not count as unheard until then. */
function read(file: FileSource, buffer: Uint8Array): Promise<number> {
  const reading = file.read(buffer);
  reading.catch(() => {});
  return reading;
}
