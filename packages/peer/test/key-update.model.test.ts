import { type Random, randomBelow, randomBetween } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { afterEach, describe, expect, test } from 'vitest';
import { DEFAULT_KEY_UPDATE_SETTINGS, type KeyUpdateSettings } from '../src/index.ts';
import { KeySchedule } from '../src/key-schedule.ts';
import { PROBE_AFTER_MS } from '../src/liveness.ts';
import { type Channel, NOTHING, Stage, type StageOptions, channels } from './resume-stage.ts';

// Sessions whose keys change all the time, over links that break, against what docs/protocol.md §4.4 and §5 promise:
// everything arrives once and in order, no key sees a nonce twice, no key outlives its limit. Every sealing is watched.

const RECORDS = 8;
const TINY: KeyUpdateSettings = {
  ...DEFAULT_KEY_UPDATE_SETTINGS,
  records: RECORDS,
  ageMs: 20_000,
  exchangeMs: 1,
  minExchangeMs: 0,
  recordsPerUpdate: 2,
};

/** Kinds of key updates that sessions sent while a test ran. */
const sent: string[] = [];
const original = KeySchedule.prototype.sent;
let mostRecords = 0;

function watchSchedules(): void {
  KeySchedule.prototype.sent = function watched(update) {
    sent.push(update.kind);
    mostRecords = Math.max(mostRecords, this.send.counter);
    original.call(this, update);
  };
}

afterEach(() => {
  KeySchedule.prototype.sent = original;
  sent.length = 0;
  mostRecords = 0;
});

async function stageWith(keyUpdate: KeyUpdateSettings, options: StageOptions): Promise<Stage> {
  const stage = await Stage.open(options);
  for (const node of [stage.alice, stage.bob]) Object.assign(node, { keyUpdate });
  const session = await stage.connect();
  await stage.world.run(session.greeted);
  return stage;
}

function cutSomehow(stage: Stage, random: Random): void {
  const side = randomBelow(random, 2) === 0 ? 'dialler' : 'listener';
  if (randomBelow(random, 2) === 0) stage.wire.cut({ inFlight: true });
  else
    stage.wire.cut({
      at: { side, byte: stage.wire.sentBytes(side) + randomBelow(random, 60_000) },
      inFlight: randomBelow(random, 2) === 0,
    });
}

function note(stage: Stage, by: 'alice' | 'bob', number: number): void {
  const session = by === 'alice' ? stage.session() : stage.other();
  session.send({ type: 'relay-close', port: BigInt(number), reason: 'closed' });
}

function whole({ out, back }: Channel): unknown {
  return [out, back].map(({ written, received, wrong, ended, closedWith }) => [written - received, wrong, ended, closedWith]);
}

const WHOLE = [
  [0, 0, true, undefined],
  [0, 0, true, undefined],
];

describe('two sessions whose keys change every few records', () => {
  test.each(Array.from({ length: 12 }, (_, index) => index + 1))(
    'seed %i: whatever is sent and whatever breaks, all of it arrives once and in order',
    async (seed) => {
      watchSchedules();
      const random = seededRandom(seed);
      const stage = await stageWith(TINY, { seed, latencyMs: [1, 40] });
      const open = channels(stage.bob);
      const all: Channel[] = [];
      const notes = { alice: 0, bob: 0 };
      for (let step = 0; step < 60; step++) {
        const dice = randomBelow(random, 12);
        if (dice === 0 && all.length < 6) all.push(open(stage.session()));
        else if (dice <= 3) all.at(randomBelow(random, Math.max(1, all.length)))?.out.send(randomBelow(random, 200_000));
        else if (dice <= 6) all.at(randomBelow(random, Math.max(1, all.length)))?.back.send(randomBelow(random, 200_000));
        else if (dice === 7) note(stage, 'alice', ++notes.alice);
        else if (dice === 8) note(stage, 'bob', ++notes.bob);
        else if (dice === 9) cutSomehow(stage, random);
        // Now and then long enough for what only time brings.
        // oxlint-disable-next-line no-await-in-loop -- the order is the point
        await stage.advance(randomBelow(random, 8) === 0 ? randomBetween(random, 3000, PROBE_AFTER_MS + 2000) : randomBelow(random, 150));
      }
      for (const { out, back } of all) {
        out.send(0, true);
        back.send(0, true);
      }
      await stage.advance(120_000);
      expect(all.map(whole)).toEqual(all.map(() => WHOLE));
      const counted = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
      expect([stage.bob.notes, stage.alice.notes]).toEqual([counted(notes.alice), counted(notes.bob)]);
      expect(new Set(sent)).toEqual(new Set(['ratchet', 'request', 'answer', 'finish']));
      // The limit, and what a key update beside the one that follows it takes.
      expect(mostRecords).toBeLessThanOrEqual(RECORDS + 3);
      stage.session().close();
      await stage.advance(60_000);
      await expect(stage.leftovers()).resolves.toEqual(NOTHING);
      expect([...stage.alice.events, ...stage.bob.events].filter((event) => event.startsWith('closed'))).toEqual([
        'closed closed',
        'closed closed',
      ]);
    },
    30_000,
  );
});

describe('a session', () => {
  test('goes on after a cut with records kept under several keys, and no key is used twice', async () => {
    watchSchedules();
    const stage = await stageWith({ ...TINY, exchangeMs: 1e9 }, { latencyMs: 200 });
    // A record each, all of them on their way when the link breaks: four keys of ours, none acknowledged.
    const count = RECORDS * 4;
    for (let number = 1; number <= count; number++) {
      note(stage, 'alice', number);
      // oxlint-disable-next-line no-await-in-loop -- a record each
      await stage.advance(0);
    }
    expect(sent.filter((kind) => kind === 'ratchet').length).toBeGreaterThanOrEqual(3);
    expect(stage.bob.notes).toEqual([]);
    stage.wire.cut({ inFlight: true });
    await stage.advance(5000);
    expect(stage.bob.notes).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    // What is sealed again counts for its new keys.
    expect(mostRecords).toBeLessThanOrEqual(RECORDS + 1);
    stage.session().close();
    await stage.advance(60_000);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test.each([0, 20, 40, 60, 80, 100, 120] as const)(
    'whose link breaks %i ms after an exchange began forgets it with the epoch, and makes the next one when it is time',
    async (afterMs) => {
      watchSchedules();
      const stage = await stageWith({ ...DEFAULT_KEY_UPDATE_SETTINGS, exchangeMs: 3 * PROBE_AFTER_MS }, { latencyMs: 20 });
      while (!sent.includes('request')) {
        // oxlint-disable-next-line no-await-in-loop -- until it is time
        await stage.advance(1);
      }
      await stage.advance(afterMs);
      stage.wire.cut({ inFlight: true });
      await stage.advance(1000);
      expect(stage.alice.events.at(-1)).toBe('resumed');
      note(stage, 'alice', 1);
      note(stage, 'bob', 1);
      await stage.advance(4 * PROBE_AFTER_MS);
      expect([stage.bob.notes, stage.alice.notes]).toEqual([[1], [1]]);
      expect(sent.slice(-3)).toEqual(['request', 'answer', 'finish']);
      stage.session().close();
      await stage.advance(60_000);
      await expect(stage.leftovers()).resolves.toEqual(NOTHING);
    },
  );

  test('that is idle for a day changes its keys all the same, by exchanges alone', async () => {
    watchSchedules();
    const stage = await stageWith(DEFAULT_KEY_UPDATE_SETTINGS, {});
    await stage.advance(24 * 3_600_000);
    expect(new Set(sent)).toEqual(new Set(['request', 'answer', 'finish']));
    expect(sent.length / 3).toBe(28);
    stage.session().close();
    await stage.advance(60_000);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });
});
