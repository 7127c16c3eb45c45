import { duplexPair } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Channel, DuplexChannel } from './channel.ts';
import { ACKNOWLEDGED_LENGTH, WRITE_LENGTH } from './protocol.ts';
import { serveChannel } from './receiver.ts';
import { type SendWindows, type SourceCommands, sourceCommands } from './sender.ts';

const ROUND_MS = 20;

/** Commands over pipes in this process, whose far ends are served. */
function commands(windows?: SendWindows, carry: (near: Channel) => Channel = (near) => near): SourceCommands {
  const open = (): Promise<Channel> => {
    const [near, far] = duplexPair();
    serveChannel(new DuplexChannel(far));
    return Promise.resolve(carry(new DuplexChannel(near)));
  };
  return sourceCommands(open, windows);
}

describe('an opener', () => {
  test('moves bulk data over one channel or more, and counts what was confirmed', async () => {
    const one = await commands().transfer(ROUND_MS, 1);
    expect(one.bytes).toBeGreaterThan(0);
    expect(one.bytes).toBe(one.writes * WRITE_LENGTH);
    expect(one.seconds).toBeGreaterThanOrEqual(ROUND_MS / 1000);
    const eight = await commands().transfer(ROUND_MS, 8);
    expect(eight.writes).toBeGreaterThanOrEqual(8);
    expect(eight.bytes).toBe(eight.writes * WRITE_LENGTH);
  });

  test('counts both directions of an exchange', async () => {
    const { bytes, writes } = await commands().exchange(ROUND_MS);
    // In one process the end that runs first may use up all the time.
    expect(bytes).toBeGreaterThanOrEqual(writes * WRITE_LENGTH);
    expect(bytes % WRITE_LENGTH).toBe(0);
  });

  test('writes each small message by itself', async () => {
    const { bytes, writes } = await commands().messages(ROUND_MS, 64);
    expect(bytes).toBe(writes * 64);
  });

  test('takes the time of round trips, idle and while another channel is full', async () => {
    for (const loaded of [false, true]) {
      // One after the other: they share a processor.
      // oxlint-disable-next-line no-await-in-loop
      const { medianMs, p99Ms, count } = await commands().roundTrips(ROUND_MS, loaded);
      expect(count).toBeGreaterThan(0);
      expect(p99Ms).toBeGreaterThanOrEqual(medianMs);
    }
  });

  test('has no more on the way than its window, where the carrier takes everything', async () => {
    const windows = { bulkBytes: 4 * ACKNOWLEDGED_LENGTH, loadBytes: 2 * ACKNOWLEDGED_LENGTH };
    let most = 0;
    const greedy = (near: Channel): Channel => {
      let onTheWay = 0;
      return {
        write: (bytes) => {
          near.write(bytes);
          onTheWay += bytes.length;
          most = Math.max(most, onTheWay);
          return true;
        },
        end: () => near.end(),
        attach: (handler) =>
          near.attach({
            ...handler,
            data: (bytes) => {
              onTheWay -= bytes.length * ACKNOWLEDGED_LENGTH;
              handler.data?.(bytes);
            },
          }),
      };
    };
    const { bytes } = await commands(windows, greedy).transfer(ROUND_MS, 1);
    expect(bytes).toBeGreaterThan(windows.bulkBytes);
    expect(most).toBeLessThanOrEqual(windows.bulkBytes + WRITE_LENGTH);
    // Beside round trips it is the other one.
    most = 0;
    await commands(windows, greedy).roundTrips(ROUND_MS, true);
    expect(most).toBeGreaterThanOrEqual(windows.loadBytes);
    expect(most).toBeLessThanOrEqual(windows.loadBytes + WRITE_LENGTH);
  });

  test('is told where the far end goes away', async () => {
    const open = (): Promise<Channel> => {
      const [near, far] = duplexPair();
      far.once('data', () => far.destroy());
      near.once('end', () => near.destroy());
      return Promise.resolve(new DuplexChannel(near));
    };
    await expect(sourceCommands(open).roundTrips(ROUND_MS, false)).rejects.toThrow();
  });
});
