import { RecordKeys, RecordWriter, type SealedRecord, SlabPool, portableProvider } from '@matryoshka/session';
import { SimulatedClock, seededRandom } from '@matryoshka/simulation';
import type { CloseReason, Link } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { Epoch } from './epoch.ts';

interface SetUp {
  readonly epoch: Epoch;
  readonly sent: number[];
  readonly closes: (CloseReason | undefined)[];
  readonly keys: { readonly sendKeys: RecordKeys; readonly receiveKeys: RecordKeys };
  /** Says stop from the next send on. */
  fill(): void;
  /** A record that is freed when it is written: nobody acknowledges it. */
  record(): { readonly record: SealedRecord; readonly written: () => boolean };
}

function setUp(sends = 0): SetUp {
  const sent: number[] = [];
  const closes: (CloseReason | undefined)[] = [];
  let room = true;
  const link = {
    send: (parts: readonly Uint8Array[]) => {
      sent.push(parts.reduce((sum, { length }) => sum + length, 0));
      return room;
    },
    close: (reason?: CloseReason) => void closes.push(reason),
    protect: () => {},
  } as unknown as Link;
  const key = (fill: number): RecordKeys => new RecordKeys(portableProvider, 'chacha20poly1305', new Uint8Array(32).fill(fill));
  const keys = { sendKeys: key(1), receiveKeys: key(2) };
  const environment = { provider: portableProvider, random: seededRandom(1), clock: new SimulatedClock() };
  const epoch = new Epoch(environment, 'initiator', { link, ...keys, sends });
  return {
    epoch,
    sent,
    closes,
    keys,
    fill: () => void (room = false),
    record: () => {
      const pool = new SlabPool();
      const writer = new RecordWriter(pool);
      writer.message({ type: 'ping', token: new Uint8Array(8) });
      const record = writer.seal(epoch.keys.send);
      const { slab } = record;
      return { record, written: () => slab?.sole === true };
    },
  };
}

describe('an epoch of a session', () => {
  test('counts what its link has written from behind the sends of the handshake', () => {
    const { epoch, record } = setUp(2);
    const [one, two] = [record(), record()];
    epoch.send(one.record);
    epoch.send(two.record);
    epoch.written(2);
    expect([one.written(), two.written()]).toEqual([false, false]);
    epoch.written(3);
    epoch.written(3);
    expect([one.written(), two.written()]).toEqual([true, false]);
    epoch.written(4);
    expect(two.written()).toBe(true);
  });

  test('is full from when its link says stop until it says go on', () => {
    const { epoch, record, sent, fill } = setUp();
    epoch.send(record().record);
    expect([epoch.full, sent.length]).toEqual([false, 1]);
    fill();
    epoch.send(record().record);
    expect([epoch.full, sent.length]).toEqual([true, 2]);
    epoch.writable();
    expect(epoch.full).toBe(false);
  });

  test('has everything written once its link is closed, counted or not', () => {
    const { epoch, record } = setUp();
    const records = [record(), record(), record()];
    for (const each of records) epoch.send(each.record);
    epoch.written(1);
    epoch.closed();
    expect(records.map(({ written }) => written())).toEqual([true, true, true]);
    // More news of it changes nothing.
    epoch.written(3);
    epoch.closed();
  });

  test('ends with its link and its keys; one that a kept record was sealed with stays until that is acknowledged', () => {
    const { epoch, closes, keys } = setUp();
    const writer = new RecordWriter(new SlabPool());
    writer.message({ type: 'stream-end', streamId: 7 });
    const kept = writer.seal(epoch.keys.send);
    epoch.send(kept);
    const reason = new MatryoshkaError('session.link-lost');
    epoch.end(reason);
    expect(closes).toEqual([reason]);
    expect(() => keys.receiveKeys.open(new Uint8Array(40))).toThrow(/wiped/);
    const plaintext = new Uint8Array(100);
    expect(kept.reopen(plaintext)).toBe(7);
    expect([...plaintext.subarray(0, 7)]).toEqual([0x13, 0, 4, 0, 0, 0, 7]);
    kept.acknowledged();
    expect(() => keys.sendKeys.seal(new Uint8Array(1), new Uint8Array(17))).toThrow(/wiped/);
    // The session says so once more when it is over.
    epoch.end(reason);
  });
});
