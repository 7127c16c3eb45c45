import { Delivery, RecordKeys, RecordWriter, SlabPool, portableProvider } from '@matryoshka/session';
import { SimulatedClock, seededRandom } from '@matryoshka/simulation';
import type { Link } from '@matryoshka/transport';
import { type Message, Reader, decodeMessage } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { Epoch } from './epoch.ts';
import { Outbox } from './outbox.ts';
import { Stream } from './stream.ts';

// What needs a moment that a whole session does not stand still for; the rest is in test/streams.test.ts.

interface Bench {
  readonly outbox: Outbox;
  readonly delivery: Delivery;
  stream(id: number, credit: number): Stream;
  /** All messages sent so far. */
  sent(): Message[];
}

function bench(retainedLimitBytes: number): Bench {
  const clock = new SimulatedClock();
  const delivery = new Delivery(retainedLimitBytes);
  const records: Uint8Array[] = [];
  const send = (parts: readonly Uint8Array[]): boolean => records.push(Uint8Array.from(parts.flatMap((part) => [...part]))) > 0;
  const link = { send } as unknown as Link;
  const key = new Uint8Array(32);
  const keys = (): RecordKeys => new RecordKeys(portableProvider, 'chacha20poly1305', key);
  const host = {
    sending: true,
    owes: () => {},
    failed: (error: unknown) => {
      throw error;
    },
  };
  const environment = { provider: portableProvider, random: seededRandom(1), clock };
  const outbox = new Outbox(
    host,
    clock,
    new RecordWriter(new SlabPool()),
    delivery,
    new Epoch(environment, 'initiator', { link, sendKeys: keys(), receiveKeys: keys(), sends: 0 }),
  );
  return {
    outbox,
    delivery,
    stream: (id, credit) => new Stream({ outbox, forget: () => {} }, id, '/test/1', credit, 1000),
    sent: () => {
      const receiver = keys();
      return records.flatMap((record) => {
        const reader = new Reader(receiver.open(record.slice()));
        const messages: Message[] = [];
        while (reader.remaining > 0) messages.push(decodeMessage(reader) as Message);
        return messages;
      });
    },
  };
}

describe('a stream', () => {
  test('that another one writes to while it waits within its own write keeps the order', () => {
    const { outbox, delivery, stream, sent } = bench(70_000);
    const [x, y] = [stream(2, 10), stream(4, 1_000_000)];
    // Too much waits for acknowledgement, so y waits with 64 KiB and wants to be told.
    y.write(new Uint8Array(70_000));
    outbox.flush();
    expect(y.write(new Uint8Array(65_536))).toBe(false);
    y.attach({ writable: () => void x.write(Uint8Array.of(30, 31, 32)) });
    delivery.acknowledge(2);
    // Fills y's record, which lets y write to x, in the middle of this: ten bytes have credit, ten have not.
    x.write(Uint8Array.from({ length: 20 }, (_, index) => index));
    expect(x.pendingBytes).toBe(13);
    delivery.acknowledge(delivery.sent);
    x.credited(1000);
    outbox.flush();
    const bytes = sent().flatMap((message) => (message.type === 'stream-data' && message.streamId === 2 ? [...message.bytes] : []));
    expect(bytes).toEqual([...Array.from({ length: 20 }, (_, index) => index), 30, 31, 32]);
  });

  test('sends nothing for nothing', () => {
    const { outbox, stream, sent } = bench(1000);
    expect(stream(2, 10).write(new Uint8Array(0))).toBe(true);
    outbox.flush();
    expect(sent()).toEqual([]);
  });

  test('grants nothing any more once its owner has reset it within data', () => {
    const { outbox, stream, sent } = bench(1000);
    const x = stream(2, 10);
    x.attach({ data: () => x.reset() });
    x.received(new Uint8Array(900));
    outbox.flush();
    expect(sent()).toEqual([{ type: 'stream-reset', streamId: 2, reason: 'stream.reset' }]);
  });

  test('does not put a few bytes into the rest of a record that is nearly full', () => {
    const { outbox, stream, sent } = bench(1_000_000);
    const [x, y] = [stream(2, 1_000_000), stream(4, 1_000_000)];
    x.write(new Uint8Array(64_000));
    y.write(new Uint8Array(600));
    outbox.flush();
    expect(sent().map((message) => message.type === 'stream-data' && message.bytes.length)).toEqual([64_000, 600]);
    y.write(new Uint8Array(64_000));
    x.write(new Uint8Array(100));
    outbox.flush();
    expect(
      sent()
        .slice(2)
        .map((message) => message.type === 'stream-data' && message.bytes.length),
    ).toEqual([64_000, 100]);
  });
});
