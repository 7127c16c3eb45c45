import { Socket, type SocketConstructorOpts } from 'node:net';
import { markAsUntransferable } from 'node:worker_threads';

/** Most bytes that one read brings: four of the largest frames, so that under load few lie across two reads. */
const READ_LENGTH: number = 256 * 1024;

/**
 * One buffer for the reads of all sockets: what a read brings is handled or copied before the next read of any socket.
 * Where the system fills buffers on its own time (Windows), each socket has one.
 */
const shared: Uint8Array | undefined = process.platform === 'win32' ? undefined : readBuffer(READ_LENGTH);

/** The system writes to its address, so nobody who is shown a view of it may take the memory away. */
function readBuffer(length: number): Uint8Array {
  const buffer = new Uint8Array(length);
  markAsUntransferable(buffer.buffer);
  return buffer;
}

/**
 * Reads a socket into one long-lived buffer instead of a new one each time: less to allocate, several frames a call, and
 * nothing for the collector (decision 12). It is made before its socket.
 */
export class SocketReader {
  /** Gets each chunk: a view, valid during the call only. */
  receive: (chunk: Uint8Array) => void = () => {};

  /** What `node:net` wants to know about it. */
  readonly onread: NonNullable<SocketConstructorOpts['onread']> = {
    buffer: shared ?? readBuffer(READ_LENGTH / 4),
    callback: (length, buffer) => {
      this.receive(buffer.subarray(0, length));
      return true;
    },
  };

  /**
   * The socket through which an accepted one is read and written from now on; paused. `node:net` takes a reader only when
   * a socket is made, so the connection moves to a socket of ours.
   */
  adopt(accepted: Socket): Socket {
    const held = accepted as unknown as { _handle?: object | null };
    const handle = held._handle;
    if (handle === undefined || handle === null) {
      // Not Node itself: reads allocate, all else is the same.
      accepted.on('data', (chunk: Uint8Array) => this.receive(chunk)).pause();
      return accepted;
    }
    held._handle = null;
    accepted.destroy();
    return new Socket({ handle, pauseOnCreate: true, onread: this.onread } as SocketConstructorOpts);
  }
}
