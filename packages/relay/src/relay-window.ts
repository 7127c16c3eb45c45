import { ReceiveWindow } from '@matryoshka/peer';
import { MAX_RECORD_LENGTH } from '@matryoshka/wire';

/** A message is not split into pieces smaller than this for want of credit, whatever the window, in bytes (docs/protocol.md §8.3). */
export const MIN_PIECE_LENGTH: number = 2 * 1024;

/**
 * A message is not cut into shorter pieces by whoever has a window of so many bytes: up to half of it, which the other side
 * always grants again, and at most the longest that all records of a session may have (docs/protocol.md §8.3). So messages of
 * one length stay so on the whole way.
 */
export function minPieceLength(windowBytes: number): number {
  return Math.max(MIN_PIECE_LENGTH, Math.min(windowBytes / 2, MAX_RECORD_LENGTH));
}

/**
 * Pieces of one direction that may wait at a relay, for a window of so many bytes: no message is shorter than the
 * 16-byte tag it ends with, so that what is smaller on average is none (docs/protocol.md §11).
 */
export function maxPendingUnits(windowBytes: number): number {
  return 4096 + windowBytes / 16;
}

/** Credit granted to the other side of a relay link, in bytes. */
export class RelayWindow extends ReceiveWindow {
  /** @param size - the window, all of which the other side has already */
  constructor(size: number) {
    super(size, size);
  }

  /**
   * Counts consumed bytes. Returns the new total to announce, if it is time. A small window is announced each time: its
   * half is less than the smallest piece, for which the other side would wait for ever.
   */
  override consume(bytes: number): number | undefined {
    return super.consume(bytes) ?? (this.size < 2 * MIN_PIECE_LENGTH ? this.announce() : undefined);
  }
}
