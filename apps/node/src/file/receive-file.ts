import type { Stream } from '@matryoshka/node';
import { type FileMessage, FileMessageReader, encodeFileMessage } from './file-message.ts';
import { FileRefusal, refusalOf } from './file-refusal.ts';
import { IncomingFile, type StoredFile } from './incoming-file.ts';

/** How long a sender may take to say what it sends, in milliseconds. */
const OFFER_TIMEOUT_MS = 30_000;
/** How long a sender may take to hear that its file was refused, in milliseconds. */
const REFUSAL_TIMEOUT_MS = 5_000;
/** Longest text of a refusal, in bytes. */
const MAX_TEXT_LENGTH = 255;

/** What a sender announces. */
export type Offer = Extract<FileMessage, { type: 'offer' }>;

export interface ReceiveFileOptions {
  readonly directory: string;
  /** Says why a file is not taken, before anything is written. */
  readonly refuse?: (offer: Offer) => FileRefusal | undefined;
  readonly onOffer?: (offer: Offer) => void;
  /** Bytes of content so far. */
  readonly onProgress?: (received: number) => void;
  readonly signal?: AbortSignal;
}

type State = 'offer' | 'opening' | 'content' | 'digest' | 'finishing' | 'over';

/**
 * The receiving end of one file.
 *
 * | state | on | next |
 * |---|---|---|
 * | `offer` | offer | `opening`: the stream is paused |
 * | `opening` | the file is made | `content` (`digest` for an empty one); accept goes out |
 * | `content` | as many bytes as announced | `digest` |
 * | `digest` | digest | `finishing` |
 * | `finishing` | size and digest right, on the disk, named | stored goes out, `over` |
 * | any | anything else, the disk fails, the signal | refused goes out, `over`; nothing of the file stays |
 * | any | the stream closes | `over`; nothing of the file stays |
 */
class FileReceiver {
  readonly #stream: Stream;
  readonly #options: ReceiveFileOptions;
  readonly #settle: (error: Error | undefined, stored?: StoredFile) => void;
  readonly #reader = new FileMessageReader();
  #state: State = 'offer';
  #offer: Offer | undefined;
  #file: IncomingFile | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Stream, options: ReceiveFileOptions, settle: (error: Error | undefined, stored?: StoredFile) => void) {
    this.#stream = stream;
    this.#options = options;
    this.#settle = settle;
  }

  start(): void {
    if (this.#options.signal?.aborted === true) return this.#stop();
    this.#timer = setTimeout(() => this.#fail(new FileRefusal('protocol', 'no offer came in time')), OFFER_TIMEOUT_MS);
    this.#options.signal?.addEventListener('abort', this.#stop, { once: true });
    this.#stream.attach({
      data: (bytes) => {
        try {
          this.#data(bytes);
        } catch (error) {
          this.#fail(error instanceof FileRefusal ? error : new FileRefusal('protocol', undefined, { cause: error }));
        }
      },
      end: () => this.#end(),
      closed: (error) => this.#closed(error),
    });
  }

  #data(bytes: Uint8Array): void {
    switch (this.#state) {
      case 'offer':
      case 'digest':
        this.#message(bytes);
        break;
      case 'content':
        this.#content(bytes);
        break;
      case 'opening':
      case 'finishing':
        throw new FileRefusal('protocol', 'more came than was announced');
      case 'over':
        break;
      default:
        this.#state satisfies never;
    }
  }

  #message(bytes: Uint8Array): void {
    const read = this.#reader.push(bytes);
    if (read === undefined) return;
    const { message, rest } = read;
    if (rest.length > 0) throw new FileRefusal('protocol', 'more came than was announced');
    if (this.#state === 'offer' && message.type === 'offer') {
      this.#state = 'opening';
      void this.#open(message);
    } else if (this.#state === 'digest' && message.type === 'digest') {
      this.#state = 'finishing';
      void this.#finish(message.sha256);
    } else {
      throw new FileRefusal('protocol', `${message.type} is not allowed now`);
    }
  }

  #content(bytes: Uint8Array): void {
    const { size } = this.#offer as Offer;
    const file = this.#file as IncomingFile;
    const left = size - file.received;
    const content = bytes.length > left ? bytes.subarray(0, left) : bytes;
    if (!file.push(content)) this.#stream.pause();
    this.#options.onProgress?.(file.received);
    if (file.received < size) return;
    this.#state = 'digest';
    if (content.length < bytes.length) this.#message(bytes.subarray(content.length));
  }

  async #open(offer: Offer): Promise<void> {
    clearTimeout(this.#timer);
    this.#offer = offer;
    try {
      const refusal = this.#options.refuse?.(offer);
      if (refusal !== undefined) throw refusal;
      this.#options.onOffer?.(offer);
      const file = await IncomingFile.create(this.#options.directory, offer.name, offer.size, {
        writable: () => this.#stream.resume(),
        failed: (failure) => this.#fail(failure),
      });
      this.#file = file;
      if (this.#state !== 'opening') {
        // The stream has closed meanwhile.
        await file.abandon();
        return;
      }
      this.#state = offer.size === 0 ? 'digest' : 'content';
      this.#stream.write(encodeFileMessage({ type: 'accept' }));
    } catch (error) {
      this.#fail(refusalOf(error));
    }
  }

  async #finish(sha256: Uint8Array): Promise<void> {
    try {
      const stored = await (this.#file as IncomingFile).finish(sha256);
      this.#over();
      this.#settle(undefined, stored);
      this.#tell({ type: 'stored', size: stored.size, sha256: stored.sha256, name: stored.name });
    } catch (error) {
      this.#fail(refusalOf(error));
    }
  }

  #end(): void {
    if (this.#state === 'finishing' || this.#state === 'over') return;
    const { size } = this.#offer ?? { size: 0 };
    this.#fail(new FileRefusal('size-mismatch', `the sender ended after ${this.#file?.received ?? 0} of ${size} bytes`));
  }

  #closed(error: Error | undefined): void {
    clearTimeout(this.#timer);
    if (this.#state === 'over') return;
    // What is on the disk whole is stored, whether or not the sender hears of it.
    if (this.#state === 'finishing') return;
    this.#over();
    this.#abandon(error ?? new FileRefusal('size-mismatch', 'the sender has gone'));
  }

  readonly #stop = (): void => this.#fail(new FileRefusal('stopped'));

  #fail(refusal: FileRefusal): void {
    if (this.#state === 'over') return;
    this.#over();
    this.#tell({
      type: 'refused',
      reason: refusal.reason,
      size: this.#file?.received ?? 0,
      text: refusal.message.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_TEXT_LENGTH),
    });
    // A sender that does not stop is not listened to for long.
    this.#timer = setTimeout(() => this.#stream.reset(), REFUSAL_TIMEOUT_MS);
    this.#timer.unref();
    this.#stream.resume();
    this.#abandon(refusal);
  }

  /** The last word to the sender; it may be gone already. */
  #tell(message: FileMessage): void {
    try {
      this.#stream.write(encodeFileMessage(message));
      this.#stream.end();
    } catch {
      // Its stream has failed, which is what `closed` says or has said.
    }
  }

  #abandon(error: Error): void {
    void (this.#file?.abandon() ?? Promise.resolve()).then(() => this.#settle(error));
  }

  #over(): void {
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#stop);
  }
}

/**
 * Receives the file of a stream that a sender opened; resolves when it is stored whole.
 * @throws FileRefusal what the sender was told; MatryoshkaError why the stream ended
 */
export function receiveFile(stream: Stream, options: ReceiveFileOptions): Promise<StoredFile> {
  return new Promise((resolve, reject) => {
    new FileReceiver(stream, options, (error, stored) =>
      stored === undefined ? reject(error ?? new FileRefusal('unknown')) : resolve(stored),
    ).start();
  });
}
