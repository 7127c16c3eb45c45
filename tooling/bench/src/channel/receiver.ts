import type { Channel, ChannelHandler } from './channel.ts';
import { ORDER_LENGTH, type Order, WRITE_LENGTH, decodeOrder, encodeConfirmation } from './protocol.ts';
import { Pump } from './pump.ts';

/** The far end of a channel: does what the opener orders. */
export function serveChannel(channel: Channel): void {
  const head = new Uint8Array(ORDER_LENGTH);
  let length = 0;
  let work: ChannelHandler | undefined;
  channel.attach({
    data: (bytes) => {
      let rest = bytes;
      if (work === undefined) {
        const part = bytes.subarray(0, ORDER_LENGTH - length);
        head.set(part, length);
        length += part.length;
        rest = bytes.subarray(part.length);
        if (length < ORDER_LENGTH) return;
        work = follow(channel, decodeOrder(head));
      }
      if (rest.length > 0) work.data?.(rest);
    },
    end: () => work?.end?.(),
    writable: () => work?.writable?.(),
    // The sender says what went wrong.
    closed: () => {},
  });
}

function follow(channel: Channel, { mode, durationMs }: Order): ChannelHandler {
  switch (mode) {
    case 'count':
      return counting(channel);
    case 'echo':
      // What little is echoed is awaited by the other side before it sends more.
      return { data: (bytes) => void channel.write(bytes.slice()), end: () => channel.end() };
    case 'exchange':
      return exchanging(channel, durationMs);
    default:
      return mode satisfies never;
  }
}

function counting(channel: Channel): ChannelHandler {
  let received = 0;
  return {
    data: (bytes) => {
      received += bytes.length;
    },
    end: () => {
      channel.write(encodeConfirmation(received, 0));
      channel.end();
    },
  };
}

function exchanging(channel: Channel, durationMs: number): ChannelHandler {
  let received = 0;
  let open = 2;
  const finish = (): void => {
    if (--open > 0) return;
    channel.write(encodeConfirmation(received, pump.bytes));
    channel.end();
  };
  const pump = new Pump(channel, WRITE_LENGTH, performance.now() + durationMs, finish);
  // The pump writes until the channel is full: what came with the order is counted first.
  queueMicrotask(() => pump.run());
  return {
    data: (bytes) => {
      received += bytes.length;
    },
    end: finish,
    writable: () => pump.run(),
  };
}
