import { ACKNOWLEDGE_AFTER_BYTES, Delivery, MAX_RECORDS_PER_KEY, RecordKeys, RecordWriter, portableProvider } from '@matryoshka/session';
import { SimulatedClock, seededRandom } from '@matryoshka/simulation';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError, type Message, Reader, decodeMessage } from '@matryoshka/wire';
import { beforeEach, describe, expect, test } from 'vitest';
import { CountingPool } from '../test/pair.ts';
import { Epoch } from './epoch.ts';
import { DEFAULT_KEY_UPDATE_SETTINGS, type KeyUpdateSettings } from './key-update-settings.ts';
import { CONTROL_LIMIT_BYTES, Outbox } from './outbox.ts';
import type { Source, Turn } from './scheduler.ts';

const PING: Message = { type: 'ping', token: new Uint8Array(8) };
const END: Message = { type: 'stream-end', streamId: 3 };
const GOODBYE: Message = { type: 'goodbye', reason: 'closed' };
const KEY = new Uint8Array(32);

/** A link that takes what it is given and says stop after so many records. */
class StubbornLink {
  readonly records: Uint8Array[] = [];
  capacity = Number.POSITIVE_INFINITY;

  send(parts: readonly Uint8Array[]): boolean {
    this.records.push(Uint8Array.from(parts.flatMap((part) => [...part])));
    return this.records.length < this.capacity;
  }
}

/** A stream that has so many pieces of one length to send. */
class TestSource implements Source {
  readonly id: number;
  left: number;
  readonly pieceLength: number;
  drains = 0;
  sent = 0;
  onDrained: (() => void) | undefined;
  readonly turn: Turn;
  readonly #outbox: Outbox;

  constructor(outbox: Outbox, id: number, pieces: number, pieceLength = 1000) {
    this.#outbox = outbox;
    this.id = id;
    this.left = pieces;
    this.pieceLength = pieceLength;
    this.turn = outbox.turn(this);
  }

  pull(writer: RecordWriter): boolean {
    if (this.left === 0) return false;
    if (writer.space < this.pieceLength + 7) return true;
    writer.streamData(this.id, this.pieceLength);
    writer.carried(new Uint8Array(this.pieceLength));
    this.sent++;
    if (--this.left > 0) return true;
    this.#outbox.drained(this);
    return false;
  }

  drained(): void {
    this.drains++;
    this.onDrained?.();
  }
}

let clock: SimulatedClock;
let link: StubbornLink;
let delivery: Delivery;
let pool: CountingPool;
let keys: RecordKeys;
let outbox: Outbox;
let epoch: Epoch;
let host: { sending: boolean; errors: unknown[]; owes: () => void; failed: (error: unknown) => void };

beforeEach(() => {
  clock = new SimulatedClock();
  link = new StubbornLink();
  delivery = new Delivery(200_000);
  pool = new CountingPool();
  keys = new RecordKeys(portableProvider, 'chacha20poly1305', KEY);
  host = {
    sending: true,
    errors: [],
    owes: () => {},
    failed: (error) => {
      host.errors.push(error);
      outbox.finish(GOODBYE, true);
      host.sending = false;
    },
  };
  outbox = makeOutbox(keys);
});

function makeOutbox(sendKeys: RecordKeys, keyUpdate?: KeyUpdateSettings): Outbox {
  const environment = { provider: portableProvider, random: seededRandom(1), clock, ...(keyUpdate && { keyUpdate }) };
  epoch = new Epoch(environment, 'initiator', { link: link as unknown as Link, sendKeys, receiveKeys: sendKeys, sends: 0 });
  return new Outbox(host, clock, new RecordWriter(pool), delivery, epoch);
}

function writable(): void {
  epoch.writable();
  outbox.flush();
}

function written(sends: number): void {
  epoch.written(sends);
  outbox.written();
}

/** Types of the messages of all records, streams by their id. */
function sentRecords(): (string | number)[][] {
  let receiver = new RecordKeys(portableProvider, 'chacha20poly1305', KEY);
  return link.records.map((record) => {
    const reader = new Reader(receiver.open(record.slice()));
    const types: (string | number)[] = [];
    while (reader.remaining > 0) {
      const message = decodeMessage(reader) as Message;
      types.push(message.type === 'stream-data' ? message.streamId : message.type);
      if (message.type === 'key-update') receiver = receiver.next();
    }
    return types;
  });
}

describe('an outbox', () => {
  test('packs what one tick brings into one record, unnumbered messages first, data last', async () => {
    outbox.ready(new TestSource(outbox, 7, 2));
    outbox.control(END);
    outbox.control(PING);
    outbox.control({ type: 'stream-end', streamId: 4 });
    expect(link.records).toHaveLength(0);
    await clock.run();
    // The source was ready before there was anything else: lent bytes go into the record at once.
    expect(sentRecords()).toEqual([[7, 7, 'ping', 'stream-end', 'stream-end']]);
  });

  test('sends control messages meanwhile where a tick takes long, as one with many handshakes does', async () => {
    let workedMs = 0;
    const { now } = clock;
    clock.now = () => now.call(clock) + workedMs;
    outbox.control(PING);
    workedMs = 0.9;
    outbox.control(PING);
    expect(link.records).toHaveLength(0);
    workedMs = 1;
    outbox.control(END);
    expect(sentRecords()).toEqual([['ping', 'ping', 'stream-end']]);
    workedMs = 1.9;
    outbox.control(PING);
    outbox.ready(new TestSource(outbox, 7, 1));
    expect(link.records).toHaveLength(1);
    await clock.run();
    expect(sentRecords().slice(1)).toEqual([['ping', 7]]);
  });

  test('control goes before the data of sources that wait', async () => {
    link.capacity = 1;
    outbox.control(PING);
    await clock.run();
    outbox.ready(new TestSource(outbox, 7, 2));
    outbox.control(END);
    outbox.control(PING);
    await clock.run();
    link.capacity = 9;
    writable();
    await clock.run();
    expect(sentRecords()).toEqual([['ping'], ['ping', 'stream-end', 7, 7]]);
  });

  test('asks the sources in turn, for as many bytes each, whatever each has', async () => {
    link.capacity = 0;
    outbox.control(PING);
    await clock.run();
    const sources = [new TestSource(outbox, 1, 200), new TestSource(outbox, 2, 6, 4000), new TestSource(outbox, 3, 5, 20)];
    for (const source of sources) outbox.ready(source);
    outbox.ready(sources[0] as Source);
    link.capacity = 3;
    writable();
    const [, first = [], second = []] = sentRecords();
    const turn = Array.from({ length: 9 }, () => 1);
    // A share each; the last message goes beyond it, and is missing from the next one.
    expect(first.slice(0, 36)).toEqual([...turn, 2, 2, 2, 3, 3, 3, 3, 3, ...turn.slice(1), 2, 2, ...turn.slice(1), 2]);
    expect([...first.slice(36), ...second].every((id) => id === 1)).toBe(true);
  });

  test('a source that finds no room keeps its turn', async () => {
    link.capacity = 0;
    outbox.control(PING);
    await clock.run();
    for (const id of [1, 2, 3]) outbox.ready(new TestSource(outbox, id, 3, 40_000));
    delivery = new Delivery();
    link.capacity = 9;
    writable();
    expect(sentRecords().slice(1)).toEqual([[1], [2], [3], [1], [2], [3]].slice(0, link.records.length - 1));
    expect(link.records.length).toBeGreaterThan(5);
  });

  test('stops when the link says so, and goes on where it was', async () => {
    link.capacity = 2;
    const source = new TestSource(outbox, 1, 300);
    outbox.ready(source);
    await clock.run();
    // Two full records, and nothing sealed or copied beyond them.
    expect([link.records.length, source.sent, keys.counter]).toEqual([2, 128, 2]);
    link.capacity = 3;
    writable();
    expect([link.records.length, keys.counter]).toEqual([3, 3]);
  });

  test('holds numbered messages back while too much waits for acknowledgement; others go', async () => {
    const source = new TestSource(outbox, 1, 1000);
    outbox.ready(source);
    await clock.run();
    const before = link.records.length;
    expect([delivery.full, before]).toEqual([true, 4]);
    outbox.control(END);
    outbox.control(PING);
    outbox.acknowledge();
    await clock.run();
    expect(sentRecords().slice(before)).toEqual([['ping']]);
    delivery.acknowledge(before);
    outbox.flushSoon();
    await clock.run();
    expect(sentRecords()[before + 1]?.slice(0, 2)).toEqual(['stream-end', 1]);
    expect(delivery.full).toBe(true);
  });

  test('an acknowledgement rides along with anything, goes alone when asked to, or when much has come', async () => {
    delivery.receive(100);
    outbox.flushSoon();
    await clock.run();
    expect(link.records).toHaveLength(0);
    outbox.control(PING);
    await clock.run();
    delivery.receive(100);
    outbox.acknowledge();
    await clock.run();
    outbox.acknowledge();
    await clock.run();
    delivery.receive(ACKNOWLEDGE_AFTER_BYTES);
    outbox.flushSoon();
    await clock.run();
    expect(sentRecords()).toEqual([['ping', 'acknowledge'], ['acknowledge'], ['acknowledge']]);
  });

  test('a full record still has room for the acknowledgement', async () => {
    delivery.receive(100);
    outbox.ready(new TestSource(outbox, 1, 100, 32_238));
    expect(sentRecords()[0]).toEqual([1, 1, 'acknowledge']);
  });

  test('tells sources that they may go on, outside of their pull, and does not nest', async () => {
    const source = new TestSource(outbox, 1, 1, 3000);
    let depth = 0;
    let deepest = 0;
    source.onDrained = () => {
      deepest = Math.max(deepest, ++depth);
      if (source.sent < 300) {
        source.left = 1;
        outbox.ready(source);
      }
      depth--;
    };
    delivery = new Delivery();
    outbox = makeOutbox(keys);
    const again = new TestSource(outbox, 2, 1, 3000);
    again.onDrained = () => {
      deepest = Math.max(deepest, ++depth);
      if (again.sent < 300) {
        again.left = 1;
        outbox.ready(again);
      }
      depth--;
    };
    outbox.ready(again);
    await clock.run();
    expect([again.sent, again.drains, deepest]).toEqual([300, 300, 1]);
  });

  test('a source that is gone is not asked any more', async () => {
    link.capacity = 0;
    outbox.control(PING);
    await clock.run();
    const [gone, stays] = [new TestSource(outbox, 1, 5), new TestSource(outbox, 2, 1)];
    outbox.ready(gone);
    outbox.ready(stays);
    outbox.remove(gone);
    link.capacity = 9;
    writable();
    await clock.run();
    expect([gone.sent, stays.sent]).toEqual([0, 1]);
  });

  test('ends the session when too many control messages wait', async () => {
    link.capacity = 0;
    outbox.control(PING);
    await clock.run();
    let count = 0;
    while (host.errors.length === 0) {
      outbox.control(PING);
      count++;
    }
    expect(host.errors).toEqual([expect.objectContaining({ code: 'session.unexpected' })]);
    expect(count).toBe(Math.floor(CONTROL_LIMIT_BYTES / (64 + 11)) + 1);
    // The goodbye goes out all the same.
    expect(sentRecords().at(-1)).toEqual(['goodbye']);
  });

  test('a message that fits into no record is the mistake of who sends it', () => {
    expect(() => outbox.control({ type: 'cover', bytes: new Uint8Array(64 * 1024) })).toThrow(RangeError);
    outbox.control({ type: 'cover', bytes: new Uint8Array(63 * 1024 - 11 - 3) });
  });

  test('a message that cannot be encoded ends the session with a goodbye that can be read', async () => {
    outbox.control({ type: 'stream-credit', streamId: -1, total: 1 });
    await clock.run();
    expect([host.errors, sentRecords()]).toEqual([[expect.any(RangeError)], [['goodbye']]]);
  });

  test('a source that fails ends the session with a goodbye that can be read', async () => {
    const broken = new TestSource(outbox, 1, 1);
    broken.pull = (writer) => {
      writer.streamData(1, 100);
      throw new TypeError('broken');
    };
    outbox.ready(broken);
    await clock.run();
    expect([host.errors, sentRecords()]).toEqual([[expect.any(TypeError)], [['goodbye']]]);
  });

  test('a source that writes nothing and wants to go on is a bug, not an endless loop', () => {
    const idle = new TestSource(outbox, 1, 1);
    idle.pull = () => true;
    outbox.ready(idle);
    expect(host.errors).toEqual([expect.objectContaining({ code: 'bug' })]);
  });

  test('a listener that fails ends the session, and the others still hear', async () => {
    const source = new TestSource(outbox, 1, 1);
    source.onDrained = () => {
      throw new TypeError('broken');
    };
    outbox.ready(source);
    expect(host.errors).toEqual([expect.any(TypeError)]);
    host.sending = true;
    const other = new TestSource(outbox, 2, 1);
    outbox.ready(other);
    expect(other.drains).toBe(1);
  });

  test('a key update follows the record that made it due, alone, also between full records and over a full link', async () => {
    outbox = makeOutbox(keys, { ...DEFAULT_KEY_UPDATE_SETTINGS, records: 2 });
    link.capacity = 5;
    // Two pieces fit into a record; the rest waits.
    outbox.ready(new TestSource(outbox, 1, 20, 30_000));
    await clock.run();
    expect(sentRecords()).toEqual([[1, 1], [1, 1], ['key-update'], [1, 1], [1, 1], ['key-update']]);
  });

  test('a key update that only time makes due goes out with the next flush, by itself', async () => {
    outbox = makeOutbox(keys, { ...DEFAULT_KEY_UPDATE_SETTINGS, exchangeMs: Number.POSITIVE_INFINITY });
    outbox.flush();
    await clock.advance(DEFAULT_KEY_UPDATE_SETTINGS.ageMs);
    epoch.keys.tick();
    outbox.flush();
    expect(sentRecords()).toEqual([['key-update']]);
  });

  test('no key update follows the goodbye', () => {
    outbox = makeOutbox(keys, { ...DEFAULT_KEY_UPDATE_SETTINGS, records: 2 });
    outbox.control(PING);
    outbox.flush();
    outbox.finish(GOODBYE, true);
    expect(sentRecords()).toEqual([['ping'], ['goodbye']]);
  });

  test('the last record of a key is the goodbye', async () => {
    const worn = Object.create(keys, {
      counter: { get: () => MAX_RECORDS_PER_KEY - 1 },
      seal: { value: (plaintext: Uint8Array, out: Uint8Array) => keys.seal(plaintext, out) },
      sealDetached: { value: () => undefined },
      hold: { value: () => {} },
      letGo: { value: () => {} },
    }) as RecordKeys;
    outbox = makeOutbox(worn);
    outbox.ready(new TestSource(outbox, 1, 1));
    await clock.run();
    expect(host.errors).toEqual([expect.objectContaining({ code: 'session.key-exhausted' })]);
    expect(sentRecords()).toEqual([['goodbye']]);
  });

  test('where the key has none left, the session ends without', async () => {
    const worn = Object.create(keys, {
      counter: { get: () => MAX_RECORDS_PER_KEY },
      seal: {
        value: () => {
          throw new MatryoshkaError('session.key-exhausted');
        },
      },
    }) as RecordKeys;
    outbox = makeOutbox(worn);
    outbox.control(PING);
    await clock.run();
    expect([host.errors.length, host.sending, link.records.length]).toEqual([1, false, 0]);
    outbox.release();
    epoch.closed();
    expect(pool.out).toBe(0);
  });

  test('the goodbye comes after what can still go out, even over a link that is full', async () => {
    outbox.ready(new TestSource(outbox, 1, 2));
    outbox.control(END);
    outbox.finish(GOODBYE, true);
    expect(sentRecords()).toEqual([[1, 1, 'stream-end', 'goodbye']]);

    outbox = makeOutbox(keys);
    link.capacity = 0;
    outbox.control(PING);
    outbox.flush();
    outbox.control(PING);
    outbox.finish(GOODBYE, true);
    expect(sentRecords().slice(1)).toEqual([['ping'], ['goodbye']]);
  });

  test('sends nothing once the session is over', async () => {
    outbox.ready(new TestSource(outbox, 1, 1));
    host.sending = false;
    outbox.control(PING);
    await clock.run();
    writable();
    expect(link.records).toHaveLength(0);
  });

  test('gives every slab back: when all is written and acknowledged, and at the end', async () => {
    outbox.ready(new TestSource(outbox, 1, 150));
    await clock.run();
    const count = link.records.length;
    written(count - 1);
    delivery.acknowledge(delivery.sent);
    expect(pool.out).toBe(1);
    written(count);
    written(count);
    expect(pool.out).toBe(0);

    outbox.control(END);
    await clock.run();
    written(link.records.length);
    expect(pool.out).toBe(1);
    delivery.acknowledge(delivery.sent);
    outbox.flush();
    expect(pool.out).toBe(0);

    outbox.ready(new TestSource(outbox, 1, 150));
    outbox.ready(new TestSource(outbox, 2, 150));
    outbox.control(PING);
    expect(pool.out).toBeGreaterThan(0);
    outbox.release();
    epoch.closed();
    expect(pool.out).toBe(0);
  });
});
