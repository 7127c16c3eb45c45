import { MESSAGE_HEADER_LENGTH, MatryoshkaError, isNumbered, MessageType } from '@matryoshka/wire';

/** First size of the buffer: with it a relay's unit of the preset `private` never makes it grow, in bytes. */
const INITIAL_LENGTH: number = 5 * 1024;
const MAX_LENGTH: number = MESSAGE_HEADER_LENGTH + 0xffff;

/**
 * Joins the parts of messages that were cut (docs/protocol.md §4.5); one message under assembly at most. It belongs to the session, not to
 * its link: parts are numbered, so what was begun before a resume ends after it. Its buffer grows with what has come.
 *
 * | state | on | next |
 * |---|---|---|
 * | none | a part that begins with the header of a numbered message | assembling |
 * | assembling | a part, of 1 byte or more | assembling |
 * | assembling | all bytes are there | none; the message is handled |
 * | none | any other part | `session.unexpected` |
 * | assembling | a part with more than was missing; any other numbered message but goodbye | `session.unexpected` |
 */
export class PartAssembly {
  #buffer: Uint8Array | undefined;
  #length = 0;
  #wanted = 0;

  /** Whether the rest of a message is still to come: no other numbered message may come before it. */
  get assembling(): boolean {
    return this.#wanted > 0;
  }

  /**
   * Takes the next part. Returns the whole message, header and all, once it is there: a view, valid until the next call.
   * @throws MatryoshkaError `session.unexpected`
   */
  add(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#wanted === 0) this.#wanted = lengthOfCut(bytes);
    const length = this.#length + bytes.length;
    if (length > this.#wanted || bytes.length === 0)
      throw new MatryoshkaError('session.unexpected', 'a part that does not fit its message');
    const buffer = this.#grown(length);
    buffer.set(bytes, this.#length);
    this.#length = length;
    if (length < this.#wanted) return undefined;
    this.#length = 0;
    this.#wanted = 0;
    return buffer.subarray(0, length);
  }

  #grown(length: number): Uint8Array {
    const old = this.#buffer;
    if (old !== undefined && old.length >= length) return old;
    const buffer = new Uint8Array(Math.min(MAX_LENGTH, Math.max(INITIAL_LENGTH, length, (old?.length ?? 0) * 2)));
    if (old !== undefined) buffer.set(old.subarray(0, this.#length));
    this.#buffer = buffer;
    return buffer;
  }
}

/** Length of the message that `first` is the beginning of. @throws MatryoshkaError `session.unexpected` for one that is not to be cut */
function lengthOfCut(first: Uint8Array): number {
  const type = first[0];
  if (type === undefined || first.length < MESSAGE_HEADER_LENGTH)
    throw new MatryoshkaError('session.unexpected', 'a part that begins with less than a header');
  if (!isNumbered(type) || type === MessageType.part) throw new MatryoshkaError('session.unexpected', 'a message that must not be cut');
  return MESSAGE_HEADER_LENGTH + (((first[1] as number) << 8) | (first[2] as number));
}
