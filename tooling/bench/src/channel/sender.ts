import { percentile } from '../statistics.ts';
import type { Channel } from './channel.ts';
import { ACKNOWLEDGED_LENGTH, type Order, PING_LENGTH, Tally, WRITE_LENGTH, encodeOrder, encodeStatement } from './protocol.ts';
import { Pump } from './pump.ts';

/** What was moved. */
export interface Transfer {
  readonly bytes: number;
  /** Calls of `write`. */
  readonly writes: number;
  /** From the first write until the receiver's last confirmation was here. */
  readonly seconds: number;
}

/** How long round trips took. */
export interface RoundTrips {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly count: number;
  readonly seconds: number;
}

/** What the opening end of any kind answers to. */
export interface SourceCommands {
  /** Sends bulk data over so many channels at once. */
  transfer(durationMs: number, channels: number): Promise<Transfer>;
  /** Sends and receives bulk data on one channel at once; counts both. */
  exchange(durationMs: number): Promise<Transfer>;
  /** Sends messages of one length on one channel. */
  messages(durationMs: number, length: number): Promise<Transfer>;
  /** One round trip after the other; `loaded`: while another channel is full of bulk data. */
  roundTrips(durationMs: number, loaded: boolean): Promise<RoundTrips>;
}

/** Bytes of bulk data that may be on the way. */
export interface SendWindows {
  readonly bulkBytes: number;
  /** Beside round trips: these wait for all of it. */
  readonly loadBytes: number;
}

/**
 * Commands on channels that `open` opens.
 * @param windows - for a carrier that takes any amount and keeps it to itself: what it holds at the end of a round would
 * take longer than the round, and round trips beside it would take the time of what it holds
 */
export function sourceCommands(open: () => Promise<Channel>, windows?: SendWindows): SourceCommands {
  const bulkOrder = (durationMs: number): Order => ({ mode: windows === undefined ? 'count' : 'acknowledge', durationMs });
  return {
    async transfer(durationMs, channels) {
      const opened = await Promise.all(Array.from({ length: channels }, open));
      return sendAll(opened, (channel) => send(channel, bulkOrder(durationMs), WRITE_LENGTH, windows?.bulkBytes));
    },
    async exchange(durationMs) {
      return send(await open(), { mode: 'exchange', durationMs }, WRITE_LENGTH);
    },
    async messages(durationMs, length) {
      return send(await open(), { mode: 'count', durationMs }, length);
    },
    async roundTrips(durationMs, loaded) {
      const [pings, bulk] = await Promise.all([open(), loaded ? open() : undefined]);
      const [times] = await Promise.all([
        pingPong(pings, durationMs),
        bulk && send(bulk, bulkOrder(durationMs), WRITE_LENGTH, windows?.loadBytes),
      ]);
      return times;
    },
  };
}

async function sendAll(channels: readonly Channel[], sendOn: (channel: Channel) => Promise<Transfer>): Promise<Transfer> {
  const begunAt = performance.now();
  const sent = await Promise.all(channels.map(sendOn));
  return {
    bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0),
    writes: sent.reduce((sum, { writes }) => sum + writes, 0),
    seconds: (performance.now() - begunAt) / 1000,
  };
}

/**
 * Sends for the time of the order, in writes of `length`, and waits for the other end's statement; at most `windowBytes`
 * without an acknowledgement, if those are ordered.
 */
function send(channel: Channel, order: Order, length: number, windowBytes = Infinity): Promise<Transfer> {
  const { promise, resolve, reject } = Promise.withResolvers<Transfer>();
  const tally = new Tally();
  const begunAt = performance.now();
  const done = (): void => void channel.write(encodeStatement(0, pump.bytes));
  const mayWrite = windowBytes === Infinity ? undefined : (sent: number) => sent - tally.bytes * ACKNOWLEDGED_LENGTH < windowBytes;
  const pump = new Pump(channel, length, begunAt + order.durationMs, done, mayWrite);
  channel.attach({
    data: (bytes) => {
      if (!tally.add(bytes)) {
        if (mayWrite !== undefined) pump.run();
        return;
      }
      const seconds = (performance.now() - begunAt) / 1000;
      try {
        tally.check(pump.bytes);
        resolve({ bytes: pump.bytes + tally.bytes, writes: pump.writes, seconds });
      } catch (error) {
        reject(error);
      }
      channel.end();
    },
    writable: () => pump.run(),
    closed: (error) => reject(error ?? new Error('the other end closed the channel before it said that it was done')),
  });
  channel.write(encodeOrder(order));
  pump.run();
  return promise;
}

/** One round trip after the other. */
function pingPong(channel: Channel, durationMs: number): Promise<RoundTrips> {
  const { promise, resolve, reject } = Promise.withResolvers<RoundTrips>();
  const ping = new Uint8Array(PING_LENGTH);
  const times: number[] = [];
  const begunAt = performance.now();
  let sentAt = begunAt;
  let missing = PING_LENGTH;
  const next = (): void => {
    missing = PING_LENGTH;
    sentAt = performance.now();
    channel.write(ping);
  };
  channel.attach({
    data: (bytes) => {
      missing -= bytes.length;
      if (missing > 0) return;
      const now = performance.now();
      times.push(now - sentAt);
      if (now - begunAt < durationMs) return next();
      channel.end();
      resolve({ medianMs: percentile(times, 0.5), p99Ms: percentile(times, 0.99), count: times.length, seconds: (now - begunAt) / 1000 });
    },
    closed: (error) => reject(error ?? new Error('the other end closed the channel instead of answering')),
  });
  channel.write(encodeOrder({ mode: 'echo', durationMs }));
  next();
  return promise;
}
