import { KeyExchange, type RecordKeys, answerKeyExchange, freshKeyPairs, portableProvider } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { type KeyUpdate, type Message, type ReasonCode, Writer, encodeMessage, messageLength } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { DEFAULT_KEY_UPDATE_SETTINGS } from '../src/index.ts';
import { PROBE_AFTER_MS } from '../src/liveness.ts';
import { pattern } from './pair.ts';
import { type RawPair, type RawPeer, rawPair } from './raw-peer.ts';

// Key updates as a peer that holds the keys may misuse them (docs/protocol.md §4.4): a typed goodbye, at once, to it alone.

const PING: Message = { type: 'ping', token: pattern(8) };
const RATCHET: KeyUpdate = { type: 'key-update', kind: 'ratchet' };
const FINISH: KeyUpdate = { type: 'key-update', kind: 'finish' };
const ANSWER: KeyUpdate = { type: 'key-update', kind: 'answer', dhKey: pattern(32), ciphertext: pattern(1088) };
const pairs = freshKeyPairs(portableProvider, seededRandom(5));

function request(exchange = new KeyExchange(pairs)): KeyUpdate {
  return { type: 'key-update', kind: 'request', ...exchange.request };
}

/** Goes on to the next key, as it says. */
function ratchet(raw: RawPeer): void {
  raw.send(RATCHET);
  raw.sendKeys = raw.sendKeys.next();
}

async function expectGoodbye({ world, node, session, raw }: RawPair, reason: ReasonCode): Promise<void> {
  await world.clock.run();
  expect(raw.of('goodbye')).toEqual([{ type: 'goodbye', reason }]);
  await expect(session.closed).resolves.toMatchObject({ code: reason });
  expect(raw.closed).toMatchObject({ code: 'transport.closed' });
  expect(node.slabs.out).toBe(0);
}

async function expectAlive({ world, session, raw }: RawPair): Promise<void> {
  const before = raw.of('pong').length;
  raw.send(PING);
  await world.clock.advance(1);
  expect([raw.of('pong').length - before, session.sending]).toEqual([1, true]);
}

describe('an initiator that sends', () => {
  test.each<readonly [string, readonly Message[], ReasonCode]>([
    ['a key update behind something', [PING, RATCHET], 'session.unexpected'],
    ['something behind a key update', [RATCHET, PING], 'session.unexpected'],
    ['two key updates in one record', [RATCHET, RATCHET], 'session.unexpected'],
    ['a request that is not alone', [request(), PING], 'session.unexpected'],
    ['an answer', [ANSWER], 'session.unexpected'],
    ['the end of no exchange', [FINISH], 'session.unexpected'],
    [
      'a malformed ML-KEM key',
      [{ type: 'key-update', kind: 'request', dhKey: pattern(32), kemKey: new Uint8Array(1184).fill(0xff) }],
      'wire.invalid',
    ],
  ])('%s gets a typed goodbye', async (_what, messages, reason) => {
    const all = await rawPair();
    all.raw.send(...messages);
    await expectGoodbye(all, reason);
  });

  test('an unknown kind gets a typed goodbye', async () => {
    const all = await rawPair();
    all.raw.seal(Uint8Array.of(0x09, 0, 1, 4));
    await expectGoodbye(all, 'wire.invalid');
  });

  test('a key update and padding is understood', async () => {
    const all = await rawPair();
    const plaintext = new Uint8Array(messageLength(RATCHET) + 100);
    encodeMessage(new Writer(plaintext), RATCHET);
    all.raw.seal(plaintext);
    all.raw.sendKeys = all.raw.sendKeys.next();
    await expectAlive(all);
  });

  test('a second request before the first exchange is finished gets a typed goodbye', async () => {
    const all = await rawPair({ keyUpdate: { ...DEFAULT_KEY_UPDATE_SETTINGS, minExchangeMs: 0 } });
    const { raw, world } = all;
    const exchange = new KeyExchange(pairs);
    raw.send(request(exchange));
    await world.clock.advance(1);
    raw.receiveKeys = raw.receiveKeys.next(exchange.finish(portableProvider, raw.of('key-update')[0] as KeyUpdate & { kind: 'answer' }));
    await expectAlive(all);
    raw.send(request());
    await expectGoodbye(all, 'session.unexpected');
  });

  test('one exchange right after the other gets a typed goodbye; one a minute does not', async () => {
    const all = await rawPair();
    const { raw, world } = all;
    const exchange = async (): Promise<void> => {
      const ours = new KeyExchange(pairs);
      raw.send(request(ours));
      await world.clock.advance(1);
      const secret = ours.finish(portableProvider, raw.of('key-update').at(-1) as KeyUpdate & { kind: 'answer' });
      raw.receiveKeys = raw.receiveKeys.next(secret);
      raw.send(FINISH);
      raw.sendKeys = raw.sendKeys.next(secret);
    };
    for (let i = 0; i < 3; i++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await exchange();
      // oxlint-disable-next-line no-await-in-loop
      await expectAlive(all);
      for (let silence = 0; silence < 60_000; silence += PROBE_AFTER_MS / 2) {
        raw.send(PING);
        // oxlint-disable-next-line no-await-in-loop
        await world.clock.advance(PROBE_AFTER_MS / 2);
      }
    }
    await exchange();
    raw.send(request());
    await expectGoodbye(all, 'session.unexpected');
  });

  test('a flood of key updates gets a typed goodbye after 16 and the one that these earn', async () => {
    const all = await rawPair();
    for (let i = 0; i < 17; i++) ratchet(all.raw);
    await expectAlive(all);
    all.raw.send(RATCHET);
    await expectGoodbye(all, 'session.unexpected');
  });

  test('one key update for each 16 records is let be', async () => {
    const all = await rawPair();
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 15; j++) all.raw.send({ type: 'cover', bytes: new Uint8Array(0) });
      ratchet(all.raw);
    }
    await expectAlive(all);
  });

  test.each<readonly [string, (keys: RecordKeys) => RecordKeys]>([
    ['the key before', (keys) => keys],
    ['a key after the next', (keys) => keys.next().next()],
    ['a key with something mixed in', (keys) => keys.next(new Uint8Array(32))],
  ])('the next record under %s ends the link without a word', async (_what, next) => {
    const all = await rawPair();
    all.raw.send(RATCHET);
    all.raw.sendKeys = next(all.raw.sendKeys);
    all.raw.send(PING);
    await all.world.clock.run();
    await expect(all.session.closed).resolves.toMatchObject({ code: 'session.record-failed' });
    expect([all.raw.of('goodbye'), all.raw.of('pong')]).toEqual([[], []]);
  });
});

describe('a responder that sends', () => {
  test.each<readonly [string, Message]>([
    ['a request', request()],
    ['an answer to no request', ANSWER],
    ['the end of no exchange', FINISH],
  ])('%s gets a typed goodbye', async (_what, message) => {
    const all = await rawPair({ role: 'initiator' });
    all.raw.send(message);
    await expectGoodbye(all, 'session.unexpected');
  });

  test('two answers to one request gets a typed goodbye', async () => {
    const keyUpdate = { ...DEFAULT_KEY_UPDATE_SETTINGS, exchangeMs: 1 };
    const all = await rawPair({ role: 'initiator', keyUpdate });
    const { raw, world } = all;
    await world.clock.advance(PROBE_AFTER_MS);
    const [asked] = raw.of('key-update');
    const { answer, secret } = answerKeyExchange(portableProvider, seededRandom(6), pairs, asked as KeyUpdate & { kind: 'request' });
    raw.send({ type: 'key-update', kind: 'answer', ...answer });
    raw.sendKeys = raw.sendKeys.next(secret);
    await world.clock.advance(1);
    expect(raw.of('key-update').map(({ kind }) => kind)).toEqual(['request', 'finish']);
    raw.receiveKeys = raw.receiveKeys.next(secret);
    await expectAlive(all);
    raw.send({ type: 'key-update', kind: 'answer', ...answer });
    await expectGoodbye(all, 'session.unexpected');
  });
});

describe('a session whose keys change', () => {
  const records = 8;

  test('sends each key update alone in its record, the last one of its key', async () => {
    const all = await rawPair({ keyUpdate: { ...DEFAULT_KEY_UPDATE_SETTINGS, records } });
    const { raw, world, session } = all;
    const follow = (): void => {
      // The link hands over one record after the other.
      const last = raw.received.at(-1);
      if (last?.type === 'key-update') raw.receiveKeys = raw.receiveKeys.next();
    };
    for (let i = 0; i < 40; i++) {
      session.send({ type: 'relay-close', port: BigInt(i + 1), reason: 'closed' });
      // oxlint-disable-next-line no-await-in-loop -- a record each
      await world.clock.advance(0);
      follow();
    }
    const updates = raw.records.flatMap((types, index) => (types.includes('key-update') ? [{ types, index }] : []));
    expect(updates.map(({ types }) => types)).toEqual(updates.map(() => ['key-update']));
    expect(updates.map(({ index }) => index)).toEqual([8, 17, 26, 35, 44]);
    expect(raw.of('relay-close')).toHaveLength(40);
    await expectAlive(all);
  });
});
