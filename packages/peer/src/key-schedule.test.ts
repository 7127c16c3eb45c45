import { type CryptoProvider, KeyExchange, RecordKeys, TAG_LENGTH, freshKeyPairs, portableProvider } from '@matryoshka/session';
import { SealRecord, SimulatedClock, seededRandom, simulatedProvider } from '@matryoshka/simulation';
import type { KeyUpdate } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeySchedule } from './key-schedule.ts';
import { DEFAULT_KEY_UPDATE_SETTINGS, type KeyUpdateSettings } from './key-update-settings.ts';

// docs/protocol.md §4.4: the keys of both directions, without sessions or links around them.

const RATCHET: KeyUpdate = { type: 'key-update', kind: 'ratchet' };
const FINISH: KeyUpdate = { type: 'key-update', kind: 'finish' };
const UNEXPECTED = expect.objectContaining({ code: 'session.unexpected' }) as Error;
const FAILED = expect.objectContaining({ code: 'session.record-failed' }) as Error;

/** What is on its way: sealed, and what it should be. */
interface Sent {
  readonly record: Uint8Array;
  readonly content: number | KeyUpdate;
}

/** One side: its schedule, and what it has sent that is not read yet. */
class Side {
  readonly schedule: KeySchedule;
  readonly sent: Sent[] = [];
  /** Key updates that went out, in order. */
  readonly kinds: KeyUpdate['kind'][] = [];
  received = 0;
  /** Most records that one key has sealed. */
  most = 0;
  #number = 0;

  constructor(schedule: KeySchedule) {
    this.schedule = schedule;
  }

  /** Seals one record, and the key updates that are due after it. */
  data(): void {
    this.#seal(this.#number++);
    this.flush();
  }

  /** Sends the key updates that are due. */
  flush(): void {
    if (!this.schedule.due) return;
    for (let update = this.schedule.take(); update !== undefined; update = this.schedule.take()) {
      this.kinds.push(update.kind);
      this.#seal(update);
      this.schedule.sent(update);
    }
    expect(this.schedule.due).toBe(false);
  }

  /** Reads the next record of `other`. */
  read(other: Side): void {
    const next = other.sent.shift();
    if (next === undefined) return;
    const plaintext = this.schedule.receive.open(next.record);
    expect(plaintext).toEqual(plaintextOf(next.content));
    if (typeof next.content === 'number') expect(next.content).toBe(this.received++);
    else this.schedule.read(next.content);
    this.flush();
  }

  #seal(content: number | KeyUpdate): void {
    const plaintext = plaintextOf(content);
    const record = new Uint8Array(plaintext.length + TAG_LENGTH);
    this.schedule.send.seal(plaintext, record);
    this.schedule.sealed(record.length);
    this.most = Math.max(this.most, this.schedule.send.counter);
    this.sent.push({ record, content });
  }
}

function plaintextOf(content: number | KeyUpdate): Uint8Array {
  return new TextEncoder().encode(typeof content === 'number' ? `data ${content}` : content.kind);
}

interface Bench {
  readonly clock: SimulatedClock;
  readonly initiator: Side;
  readonly responder: Side;
  /** What each side's keys began with. */
  readonly first: { readonly initiator: RecordKeys; readonly responder: RecordKeys };
  settle(): void;
}

function bench(settings: Partial<KeyUpdateSettings> = {}, provider: CryptoProvider = portableProvider): Bench {
  const clock = new SimulatedClock();
  const keyUpdate = { ...DEFAULT_KEY_UPDATE_SETTINGS, ...settings };
  const keys = (fill: number): RecordKeys => new RecordKeys(provider, 'chacha20poly1305', new Uint8Array(32).fill(fill));
  const first = { initiator: keys(1), responder: keys(2) };
  const initiator = new Side(
    new KeySchedule({ provider, random: seededRandom(1), clock, keyUpdate }, 'initiator', first.initiator, keys(2)),
  );
  const responder = new Side(
    new KeySchedule({ provider, random: seededRandom(2), clock, keyUpdate }, 'responder', first.responder, keys(1)),
  );
  const settle = (): void => {
    while (initiator.sent.length + responder.sent.length > 0) {
      responder.read(initiator);
      initiator.read(responder);
    }
  };
  return { clock, initiator, responder, first, settle };
}

/** A provider that shows what became of the secrets of exchanges, all of them HMACs, and of their key pairs. */
function watched(): { provider: CryptoProvider; pairs: { made: number; wiped: number }; secrets: Uint8Array[] } {
  const pairs = { made: 0, wiped: 0 };
  const secrets: Uint8Array[] = [];
  const hash = portableProvider.hash('SHA256');
  const count = <T extends { wipe(): void }>(pair: T): T => {
    pairs.made++;
    const wipe = pair.wipe.bind(pair);
    pair.wipe = (): void => {
      pairs.wiped++;
      wipe();
    };
    return pair;
  };
  const provider: CryptoProvider = {
    ...portableProvider,
    hash: () => ({
      name: hash.name,
      length: hash.length,
      blockLength: hash.blockLength,
      digest: (...parts) => hash.digest(...parts),
      hmac: (...parts) => secrets[secrets.push(hash.hmac(...parts)) - 1] as Uint8Array,
    }),
    dhKeyPair: (secret) => count(portableProvider.dhKeyPair(secret)),
    kemKeyPair: (seed) => count(portableProvider.kemKeyPair(seed)),
  };
  return { provider, pairs, secrets };
}

function request(): KeyUpdate & { readonly kind: 'request' } {
  return { type: 'key-update', kind: 'request', ...new KeyExchange(freshKeyPairs(portableProvider, seededRandom(9))).request };
}

describe('a direction', () => {
  test('goes on to the next key after its limit of records, by itself', () => {
    const { initiator, responder, settle } = bench({ records: 8 });
    for (let i = 0; i < 20; i++) initiator.data();
    settle();
    expect([initiator.kinds, responder.kinds]).toEqual([['ratchet', 'ratchet'], []]);
    // The update is the last record of its key.
    expect([initiator.most, responder.received]).toEqual([9, 20]);
  });

  test('goes on after its limit of bytes', () => {
    const { initiator, settle } = bench({ bytes: 5 * ('data 0'.length + TAG_LENGTH) });
    for (let i = 0; i < 10; i++) initiator.data();
    settle();
    expect([initiator.kinds, initiator.most]).toEqual([['ratchet', 'ratchet'], 6]);
  });

  test('goes on when its key is old, the moment somebody looks', async () => {
    const { clock, responder, settle } = bench();
    await clock.advance(DEFAULT_KEY_UPDATE_SETTINGS.ageMs - 1);
    responder.schedule.tick();
    expect(responder.schedule.due).toBe(false);
    await clock.advance(1);
    responder.schedule.tick();
    responder.flush();
    responder.schedule.tick();
    expect([responder.kinds, responder.schedule.due]).toEqual([['ratchet'], false]);
    settle();
  });

  test('has the limits of the specification', () => {
    expect(DEFAULT_KEY_UPDATE_SETTINGS).toEqual({
      records: 2 ** 22,
      bytes: 2 ** 36,
      ageMs: 3_600_000,
      exchangeMs: 3_000_000,
      burst: 16,
      recordsPerUpdate: 16,
      minExchangeMs: 60_000,
    });
  });

  test('keeps the key of records that may have to be opened again, no longer; the receiver keeps none', () => {
    const { initiator, responder, first, settle } = bench({ records: 1 });
    const receiving = responder.schedule.receive;
    first.initiator.hold();
    initiator.data();
    const { record } = initiator.sent[0] as Sent;
    const [copy, out] = [record.slice(), new Uint8Array(record.length)];
    settle();
    expect(initiator.schedule.send).not.toBe(first.initiator);
    expect(first.initiator.reopen(0, copy, out)).toBe(plaintextOf(0).length);
    first.initiator.letGo();
    const wiped = expect.objectContaining({ code: 'bug' }) as Error;
    expect(() => first.initiator.reopen(0, copy, out)).toThrow(wiped);
    expect(() => receiving.open(copy)).toThrow(wiped);
  });
});

describe('an exchange', () => {
  /** Lets the initiator begin one now. */
  async function begin({ clock, initiator }: Bench): Promise<void> {
    await clock.advance(DEFAULT_KEY_UPDATE_SETTINGS.exchangeMs);
    initiator.schedule.tick();
    initiator.flush();
  }

  test('is begun by the initiator when it is time, changes both keys, and comes again', async () => {
    const all = bench();
    const { initiator, responder, clock, settle } = all;
    for (let round = 1; round <= 3; round++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await begin(all);
      responder.schedule.tick();
      initiator.data();
      responder.data();
      settle();
      expect([initiator.kinds.length, responder.kinds.length]).toEqual([2 * round, round]);
      initiator.data();
      responder.data();
      settle();
    }
    expect([initiator.kinds.slice(0, 2), responder.kinds]).toEqual([
      ['request', 'finish'],
      ['answer', 'answer', 'answer'],
    ]);
    // It replaced both keys before they were old.
    await clock.advance(DEFAULT_KEY_UPDATE_SETTINGS.ageMs - DEFAULT_KEY_UPDATE_SETTINGS.exchangeMs);
    for (const side of [initiator, responder]) {
      side.schedule.tick();
      side.flush();
    }
    expect([initiator.kinds.includes('ratchet'), responder.kinds.includes('ratchet')]).toEqual([false, false]);
  });

  test('heals: who knew all keys before it and only listens knows none after it', async () => {
    const all = bench();
    const { initiator, responder, settle } = all;
    const key = (fill: number): RecordKeys => new RecordKeys(portableProvider, 'chacha20poly1305', new Uint8Array(32).fill(fill));
    // Everything the listener can make of what it knows.
    const known = (fill: number): RecordKeys[] => [key(fill), key(fill).next(), key(fill).next(new Uint8Array(32))];
    await begin(all);
    settle();
    for (const [side, fill] of [[initiator, 1] as const, [responder, 2] as const]) {
      side.data();
      const { record } = side.sent[0] as Sent;
      for (const keys of known(fill)) expect(() => keys.open(record.slice())).toThrow(FAILED);
    }
    settle();
  });

  test('that gets no answer stops nothing: keys go on by age and count, and no other one begins', async () => {
    const all = bench({ records: 8 });
    const { initiator, clock } = all;
    await begin(all);
    await clock.advance(DEFAULT_KEY_UPDATE_SETTINGS.ageMs);
    initiator.schedule.tick();
    initiator.flush();
    for (let i = 0; i < 8; i++) initiator.data();
    expect(initiator.kinds).toEqual(['request', 'ratchet', 'ratchet']);
  });

  test.each(['finished', 'asked for', 'answered', 'nearly finished'] as const)('leaves no secret behind when it is %s', async (stage) => {
    const { provider, pairs, secrets } = watched();
    const all = bench({}, provider);
    const { initiator, responder, settle } = all;
    await begin(all);
    if (stage === 'finished') settle();
    if (stage !== 'asked for') responder.read(initiator);
    // Read, but `finish` has not gone out.
    if (stage === 'nearly finished') initiator.schedule.read((responder.sent.shift() as Sent).content as KeyUpdate);
    expect(secrets.some((secret) => secret.some((byte) => byte !== 0))).toBe(stage === 'answered' || stage === 'nearly finished');
    for (const side of [initiator, responder]) side.schedule.end();
    expect([pairs.made, pairs.wiped]).toEqual(stage === 'asked for' ? [2, 2] : [3, 3]);
    for (const secret of secrets) expect(secret).toEqual(new Uint8Array(32));
  });

  test('in progress is forgotten when the epoch ends, and its keys are gone', async () => {
    const all = bench();
    const { initiator, responder, first } = all;
    await begin(all);
    responder.read(initiator);
    const { send, receive } = responder.schedule;
    for (const side of [initiator, responder]) {
      side.schedule.end();
      side.schedule.end();
      expect([side.schedule.due, side.schedule.take()]).toEqual([false, undefined]);
    }
    const wiped = expect.objectContaining({ code: 'bug' }) as Error;
    const record = new Uint8Array(TAG_LENGTH);
    for (const keys of [first.initiator, first.responder, send]) expect(() => keys.seal(record.subarray(0, 0), record)).toThrow(wiped);
    expect(() => receive.open(record)).toThrow(wiped);
  });
});

describe('what may not come now is refused', () => {
  test('a request by the responder', () => {
    expect(() => bench().initiator.schedule.read(request())).toThrow(UNEXPECTED);
  });

  test.each(['initiator', 'responder'] as const)('an answer without a request, to the %s', (role) => {
    const answer: KeyUpdate = { type: 'key-update', kind: 'answer', dhKey: new Uint8Array(32), ciphertext: new Uint8Array(1088) };
    expect(() => bench()[role].schedule.read(answer)).toThrow(UNEXPECTED);
  });

  test.each(['initiator', 'responder'] as const)('a finish without an exchange, to the %s', (role) => {
    expect(() => bench()[role].schedule.read(FINISH)).toThrow(UNEXPECTED);
  });

  test('a finish before the answer went out', () => {
    const { schedule } = bench().responder;
    schedule.read(request());
    expect(() => schedule.read(FINISH)).toThrow(UNEXPECTED);
  });

  test('a second request while one is in progress, before the answer and after it', () => {
    const { responder } = bench({ minExchangeMs: 0 });
    responder.schedule.read(request());
    expect(() => responder.schedule.read(request())).toThrow(UNEXPECTED);
    responder.flush();
    expect(() => responder.schedule.read(request())).toThrow(UNEXPECTED);
  });

  test('a request too soon after the last one, but not the first one, and not a minute later', async () => {
    const { responder, clock } = bench();
    const once = (): void => {
      responder.schedule.read(request());
      responder.flush();
      responder.schedule.read(FINISH);
    };
    once();
    await clock.advance(DEFAULT_KEY_UPDATE_SETTINGS.minExchangeMs - 1);
    expect(() => responder.schedule.read(request())).toThrow(UNEXPECTED);
    await clock.advance(1);
    once();
    expect(responder.kinds).toEqual(['answer', 'answer']);
  });

  test('more updates than records earn, however they come', () => {
    const { responder, initiator, settle } = bench({ burst: 4, recordsPerUpdate: 10 });
    const ratchet = (): void => responder.schedule.read(RATCHET);
    for (let i = 0; i < 4; i++) ratchet();
    expect(ratchet).toThrow(UNEXPECTED);

    // A fresh one that hears ten records for each may do so forever.
    const other = bench({ burst: 1, recordsPerUpdate: 10, records: 9 });
    for (let i = 0; i < 500; i++) other.initiator.data();
    other.settle();
    expect(other.initiator.kinds.length).toBe(55);

    const hasty = bench({ burst: 1, recordsPerUpdate: 11, records: 9 });
    for (let i = 0; i < 500; i++) hasty.initiator.data();
    expect(() => hasty.settle()).toThrow(UNEXPECTED);

    // What is not used up is not saved beyond the burst.
    const idle = bench({ burst: 2, recordsPerUpdate: 10 });
    for (let i = 0; i < 100; i++) idle.initiator.data();
    idle.settle();
    for (let i = 0; i < 2; i++) idle.responder.schedule.read(RATCHET);
    expect(() => idle.responder.schedule.read(RATCHET)).toThrow(UNEXPECTED);
    initiator.data();
    expect(settle).toThrow(FAILED);
  });
});

describe('both directions at once', () => {
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('data initiator', 'data responder') },
    { weight: 6, arbitrary: fc.constantFrom('read initiator', 'read responder') },
    { weight: 1, arbitrary: fc.constantFrom('tick initiator', 'tick responder') },
  );

  test('however their records pass each other, all of them open, in order, and no key sees a nonce twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 20, maxLength: 200 }), fc.integer({ min: 1, max: 12 }), async (actions, records) => {
        const watch = new SealRecord();
        const settings = { records, ageMs: 7, exchangeMs: 5, minExchangeMs: 0, burst: 10, recordsPerUpdate: 1 };
        const all = bench(settings, simulatedProvider({ record: watch }));
        const { initiator, responder, clock, settle } = all;
        for (const each of actions) {
          const [what, who] = each.split(' ') as ['data' | 'read' | 'tick', 'initiator' | 'responder'];
          const side = all[who];
          if (what === 'data') side.data();
          else if (what === 'read') side.read(side === initiator ? responder : initiator);
          else {
            // oxlint-disable-next-line no-await-in-loop -- time passes in order
            await clock.advance(3);
            side.schedule.tick();
            side.flush();
          }
          expect(Math.max(initiator.most, responder.most)).toBeLessThanOrEqual(records + 3);
        }
        settle();
        expect([initiator.received, responder.received]).toEqual([dataOf(actions, 'responder'), dataOf(actions, 'initiator')]);
        expect(initiator.kinds.filter((kind) => kind === 'request')).toHaveLength(
          responder.kinds.filter((kind) => kind === 'answer').length,
        );
        // Both ends are where the other one is: one more exchange works.
        await clock.advance(5);
        initiator.schedule.tick();
        initiator.flush();
        initiator.data();
        responder.data();
        settle();
        expect(watch.violations).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  function dataOf(actions: readonly string[], who: string): number {
    return actions.filter((each) => each === `data ${who}`).length;
  }
});
