import type { Channel, ChannelHandler } from './channel.ts';
import { ACKNOWLEDGED_LENGTH, ORDER_LENGTH, type Order, Tally, WRITE_LENGTH, decodeOrder, encodeStatement } from './protocol.ts';
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
    end: () => channel.end(),
    writable: () => work?.writable?.(),
    // The sender says what went wrong.
    closed: () => {},
  });
}

function follow(channel: Channel, { mode, durationMs }: Order): ChannelHandler {
  switch (mode) {
    case 'count':
      return counting(channel);
    case 'acknowledge':
      return acknowledging(channel);
    case 'echo':
      // What little is echoed is awaited by the other side before it sends more.
      return { data: (bytes) => void channel.write(bytes.slice()) };
    case 'exchange':
      return exchanging(channel, durationMs);
    default:
      return mode satisfies never;
  }
}

function counting(channel: Channel): ChannelHandler {
  const tally = new Tally();
  return {
    data: (bytes) => {
      if (tally.add(bytes)) channel.write(encodeStatement(tally.bytes, 0));
    },
  };
}

function acknowledging(channel: Channel): ChannelHandler {
  const tally = new Tally();
  let acknowledged = 0;
  return {
    data: (bytes) => {
      const complete = tally.add(bytes);
      const parts = Math.floor(tally.bytes / ACKNOWLEDGED_LENGTH) - acknowledged;
      if (parts > 0) channel.write(new Uint8Array(parts));
      acknowledged += parts;
      if (complete) channel.write(encodeStatement(tally.bytes, acknowledged));
    },
  };
}

function exchanging(channel: Channel, durationMs: number): ChannelHandler {
  const tally = new Tally();
  let open = 2;
  const finish = (): void => {
    if (--open === 0) channel.write(encodeStatement(tally.bytes, pump.bytes));
  };
  const pump = new Pump(channel, WRITE_LENGTH, performance.now() + durationMs, finish);
  // The pump writes until the channel is full: what came with the order is counted first.
  queueMicrotask(() => pump.run());
  return {
    data: (bytes) => {
      if (tally.add(bytes)) finish();
    },
    writable: () => pump.run(),
  };
}
