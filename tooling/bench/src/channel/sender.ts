import { percentile } from '../statistics.ts';
import type { Channel } from './channel.ts';
import { type Order, PING_LENGTH, Tally, WRITE_LENGTH, encodeOrder } from './protocol.ts';
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

/** Commands on channels that `open` opens. */
export function sourceCommands(open: () => Promise<Channel>): SourceCommands {
  return {
    async transfer(durationMs, channels) {
      const opened = await Promise.all(Array.from({ length: channels }, open));
      return sendAll(opened, durationMs);
    },
    async exchange(durationMs) {
      return send(await open(), { mode: 'exchange', durationMs }, WRITE_LENGTH);
    },
    async messages(durationMs, length) {
      return send(await open(), { mode: 'count', durationMs }, length);
    },
    async roundTrips(durationMs, loaded) {
      const [pings, bulk] = await Promise.all([open(), loaded ? open() : undefined]);
      const [times] = await Promise.all([pingPong(pings, durationMs), bulk && send(bulk, { mode: 'count', durationMs }, WRITE_LENGTH)]);
      return times;
    },
  };
}

async function sendAll(channels: readonly Channel[], durationMs: number): Promise<Transfer> {
  const begunAt = performance.now();
  const sent = await Promise.all(channels.map((channel) => send(channel, { mode: 'count', durationMs }, WRITE_LENGTH)));
  return {
    bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0),
    writes: sent.reduce((sum, { writes }) => sum + writes, 0),
    seconds: (performance.now() - begunAt) / 1000,
  };
}

/** Sends for the time of the order, in writes of `length`, and waits for the confirmation. */
async function send(channel: Channel, order: Order, length: number): Promise<Transfer> {
  const { promise, resolve, reject } = Promise.withResolvers<Transfer>();
  const tally = new Tally();
  const begunAt = performance.now();
  const pump = new Pump(channel, length, begunAt + order.durationMs, () => channel.end());
  let seconds: number | undefined;
  channel.attach({
    data: (bytes) => tally.add(bytes),
    end: () => {
      seconds = (performance.now() - begunAt) / 1000;
    },
    writable: () => pump.run(),
    closed: (error) => {
      try {
        if (error !== undefined && seconds === undefined) throw error;
        const back = tally.check(pump.bytes);
        resolve({ bytes: pump.bytes + back, writes: pump.writes, seconds: seconds ?? (performance.now() - begunAt) / 1000 });
      } catch (failure) {
        reject(failure);
      }
    },
  });
  channel.write(encodeOrder(order));
  pump.run();
  try {
    return await promise;
  } finally {
    channel.reset();
  }
}

/** One round trip after the other. */
async function pingPong(channel: Channel, durationMs: number): Promise<RoundTrips> {
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
      if (now - begunAt < durationMs) next();
      else channel.end();
    },
    closed: (error) => {
      if (error !== undefined || missing > 0) reject(error ?? new Error('the other side ended instead of answering'));
      else {
        const seconds = (performance.now() - begunAt) / 1000;
        resolve({ medianMs: percentile(times, 0.5), p99Ms: percentile(times, 0.99), count: times.length, seconds });
      }
    },
  });
  channel.write(encodeOrder({ mode: 'echo', durationMs }));
  next();
  try {
    return await promise;
  } finally {
    channel.reset();
  }
}
