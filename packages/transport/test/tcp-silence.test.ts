import { setTimeout as sleep } from 'node:timers/promises';
import { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { AddressAdmission, DEFAULT_ADMISSION_SETTINGS } from '../src/admission.ts';
import { Recorder } from '../src/contract/index.ts';
import type { Accept, Transport } from '../src/link.ts';
import { systemClock } from '../src/system-clock.ts';
import { type TcpOptions, tcp } from '../src/tcp/index.ts';
import { StandingClock, cleanups } from './standing-clock.ts';
import { ANY_PORT, type ByHand, FIRST, MASK_KEYS, contextOf, firstFlight, joined, serverByHand, stranger } from './tcp-strangers.ts';
import { seededRandom } from './seeded-random.ts';

// docs/protocol.md §2.3: what a listener says to whom it does not know, which is nothing, and the same nothing for all.

const NETWORK_KEY = new Uint8Array(16).fill(7);
const OTHER_KEY = new Uint8Array(16).fill(8);
const TIMEOUT_MS = 300;
const garbage = new Uint8Array(70_000);
seededRandom(1).fill(garbage);

const refuse: Accept = (link) => link.close(new MatryoshkaError('session.handshake-failed'));

function transport(networkKey?: Uint8Array): Transport {
  return tcp({ handshakeTimeoutMs: TIMEOUT_MS })(contextOf(systemClock, networkKey));
}

/** One that addresses of 127.0.0.0/24 are denied at. */
function denying(options: TcpOptions = {}): Transport {
  const admission = new AddressAdmission(systemClock, { ...DEFAULT_ADMISSION_SETTINGS, deny: ['127.0.0.0/24'] });
  return tcp({ handshakeTimeoutMs: TIMEOUT_MS, ...options })({ ...contextOf(systemClock, NETWORK_KEY), admission });
}

/** Connects to a new listener, sends `bytes` and then more and more until it is over: how it looked from outside. */
async function probe(
  bytes: Uint8Array,
  {
    networkKey = NETWORK_KEY,
    accept = refuse,
    on = transport(networkKey),
  }: { networkKey?: Uint8Array; accept?: Accept; on?: Transport } = {},
): Promise<{ readonly answer: number; readonly end: string; readonly afterMs: number; readonly unread: number }> {
  const listener = await on.listen!(ANY_PORT, accept);
  cleanups.push(() => listener.close());
  const startMs = performance.now();
  const { socket, got, ended } = await stranger(listener.endpoint);
  if (bytes.length > 0) socket.write(bytes);
  const more = setInterval(() => socket.writable && socket.write(garbage.subarray(0, 5000)), 10);
  const end = await ended;
  clearInterval(more);
  return { answer: got.length, end, afterMs: performance.now() - startMs, unread: socket.writableLength };
}

function expectSilence({ answer, end, afterMs, unread }: Awaited<ReturnType<typeof probe>>): void {
  expect({ answer, end, unread }).toEqual({ answer: 0, end: 'end', unread: 0 });
  expect(afterMs).toBeGreaterThan(TIMEOUT_MS - 20);
  expect(afterMs).toBeLessThan(TIMEOUT_MS + 2_000);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = (changed[at] as number) ^ 0x10;
  return changed;
}

describe('a listener with a network key keeps the same silence, until the handshake deadline, to somebody who', () => {
  const unwanted: Accept = () => expect.unreachable('nobody proved to know the network key');

  test.each([
    ['sends nothing at first', new Uint8Array(0)],
    ['sends part of a nonce', garbage.subarray(0, 7)],
    ['sends a nonce only', garbage.subarray(0, 16)],
    ['sends garbage', garbage.subarray(0, 5000)],
    ['sends very much garbage', garbage],
    ['sends zeros', new Uint8Array(3000)],
    ['speaks another protocol', new TextEncoder().encode('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n')],
    ['has no network key', firstFlight(FIRST)],
    ['has another network key', firstFlight(FIRST, OTHER_KEY)],
    ['sends half a first message', firstFlight(new Uint8Array(1280), NETWORK_KEY).subarray(0, 900)],
  ])('%s', async (_who, bytes) => {
    expectSilence(await probe(bytes, { accept: unwanted }));
  });

  test('changes any bit of a first message', async () => {
    const flight = firstFlight(new Uint8Array(1280), NETWORK_KEY);
    const positions = [0, 15, 16, 17, 18, 19, 20, 500, 1299, 1300, flight.length - 17, flight.length - 1];
    const probes = await Promise.all(positions.map((at) => probe(flipped(flight, at), { accept: unwanted })));
    for (const seen of probes) expectSilence(seen);
  });

  test('has the key, and is refused all the same', async () => {
    expectSilence(await probe(firstFlight(new Uint8Array(1280), NETWORK_KEY)));
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['garbage', garbage],
    ['a good first message', firstFlight(FIRST, NETWORK_KEY)],
  ])('is denied by its address, whatever it sends: %s', async (_what, bytes) => {
    expectSilence(await probe(bytes, { on: denying(), accept: unwanted }));
  });

  test('repeats what somebody has sent before, to this endpoint or another one of the node', async () => {
    const on = transport(NETWORK_KEY);
    const flight = firstFlight(FIRST, NETWORK_KEY);
    let accepted = 0;
    const answering: Accept = (link) => {
      accepted++;
      link.send([FIRST]);
      link.close();
    };
    const original = await probe(flight, { on, accept: answering });
    expect(original.answer).toBeGreaterThan(0);
    for (let i = 0; i < 2; i++) expectSilence(await probe(flight, { on, accept: answering }));
    expect(accepted).toBe(1);
  });
});

test('those who are denied by their address keep nobody else out, and are not kept without bound', async () => {
  const accepted: string[] = [];
  const on = denying({ maxUnanswered: 3, handshakeTimeoutMs: 60_000 });
  const listener = await on.listen!({ ...ANY_PORT, host: '127.0.1.1' }, ({ remote }) => accepted.push(remote.host));
  cleanups.push(() => listener.close());
  const first = await stranger(listener.endpoint, '127.0.1.2');
  const denied = [];
  // oxlint-disable-next-line no-await-in-loop
  for (let i = 0; i < 10; i++) denied.push(await stranger(listener.endpoint, '127.0.0.1'));
  await Promise.all(denied.slice(0, 7).map(({ ended }) => ended));
  expect(denied.map(({ socket }) => socket.readyState === 'open').filter(Boolean)).toHaveLength(3);
  first.socket.write(firstFlight(FIRST, NETWORK_KEY));
  await expect.poll(() => accepted).toEqual(['127.0.1.2']);
});

test('a listener without a network key is as silent to somebody who has one', async () => {
  const listener = await transport().listen!(ANY_PORT, () => expect.unreachable());
  cleanups.push(() => listener.close());
  const { socket, got, ended } = await stranger(listener.endpoint);
  socket.write(firstFlight(FIRST, NETWORK_KEY));
  expect(await ended).toBe('end');
  expect(got).toEqual([]);
});

test('a listener accepts each first message once, whatever comes between', async () => {
  const on = transport(NETWORK_KEY);
  let accepted = 0;
  const listener = await on.listen!(ANY_PORT, (link) => {
    accepted++;
    refuse(link, FIRST);
  });
  cleanups.push(() => listener.close());
  const flight = firstFlight(FIRST, NETWORK_KEY);
  const flights = [flight, garbage.subarray(0, 2000), flight, firstFlight(FIRST, NETWORK_KEY)];
  const send = async (bytes: Uint8Array): Promise<string> => {
    const { socket, ended } = await stranger(listener.endpoint);
    socket.write(bytes);
    return ended;
  };
  expect(await Promise.all(flights.map(send))).toEqual(['end', 'end', 'end', 'end']);
  expect(accepted).toBe(2);
});

describe('what does not authenticate on a link', () => {
  const FAILED = new MatryoshkaError('session.record-failed');

  /** Sends bytes until the link ends; how many it took. */
  async function bytesUntilEnd(fault: (hand: ByHand) => Uint8Array): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const endpoint = await serverByHand((hand, socket) => {
      socket.write(joined([hand.veiled(FIRST), fault(hand)]));
      let sent = 0;
      const more = (): void => {
        if (socket.destroyed || socket.readableEnded) return;
        socket.write(garbage.subarray(0, 512));
        sent += 512;
        setTimeout(more, 0);
      };
      socket.on('end', () => resolve(sent));
      more();
    });
    const link = await tcp()(contextOf(systemClock)).dial(endpoint, FIRST, {});
    const owner = new Recorder((bytes) => {
      if (owner.messages.length === 1) link.protect(MASK_KEYS.forward, MASK_KEYS.backward);
      else if (bytes.length === 50) link.close(FAILED);
    });
    link.attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.messages.length).toBeLessThanOrEqual(2);
    return promise;
  }

  test.each([
    ['a record that fails', (hand: ByHand) => hand.masked(MASK_KEYS.backward, new Uint8Array(50))],
    ['a frame of no bytes', (hand: ByHand) => hand.header(MASK_KEYS.backward, 0)],
  ])('%s ends it a random number of bytes later', async (_what, fault) => {
    const counts = await Promise.all(Array.from({ length: 12 }, () => bytesUntilEnd(fault)));
    expect(Math.max(...counts)).toBeGreaterThan(16_384);
    expect(Math.max(...counts)).toBeLessThan(65_536 + 16_384);
    expect(new Set(counts.map((count) => count >> 12)).size).toBeGreaterThan(3);
  });

  test('ends it after 30 s where nothing more comes, and the owner hears of it at once', async () => {
    const clock = new StandingClock();
    const events: string[] = [];
    const endpoint = await serverByHand((hand, socket) => {
      socket.write(joined([hand.veiled(FIRST), hand.header(MASK_KEYS.backward, 0)]));
      socket.on('end', () => events.push('end'));
    });
    const link = await tcp()(contextOf(clock)).dial(endpoint, FIRST, {});
    const owner = new Recorder(() => link.protect(MASK_KEYS.forward, MASK_KEYS.backward));
    link.attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    clock.pass(29_999);
    await sleep(50);
    expect(events).toEqual([]);
    clock.pass(1);
    await sleep(50);
    expect(events).toEqual(['end']);
  });

  test('an answer under another network key ends it the same way', async () => {
    const endpoint = await serverByHand((hand, socket) => {
      const answer = hand.veiled(FIRST);
      socket.write(flipped(answer, answer.length - 1));
    });
    const owner = new Recorder();
    (await tcp()(contextOf(systemClock)).dial(endpoint, FIRST, {})).attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.messages).toEqual([]);
    expect(owner.reasons[0]?.code).toBe('transport.protocol');
  });

  test('lets out first what was sent before, and leaves it to its owner until then', async () => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array[]>();
    const received: Uint8Array[] = [];
    const endpoint = await serverByHand((hand, socket) => {
      socket.write(hand.veiled(FIRST));
      socket.on('data', (chunk: Uint8Array) => {
        received.push(chunk.slice());
        if (received.reduce((sum, { length }) => sum + length, 0) === 20 * 60_002) resolve(received);
      });
    });
    const link = await tcp()(contextOf(systemClock)).dial(endpoint, FIRST, {});
    const message = new Uint8Array(60_000).fill(5);
    const owner = new Recorder(() => {
      link.protect(MASK_KEYS.forward, MASK_KEYS.backward);
      for (let i = 0; i < 20; i++) link.send([message]);
      link.close(FAILED);
    });
    link.attach(owner);
    await owner.until(() => owner.reasons.length === 1);
    expect(owner.writtenSends).toBe(20);
    message.fill(0);
    const bytes = joined(await promise);
    for (let i = 0; i < 20; i++) expect(bytes.subarray(i * 60_002 + 2, (i + 1) * 60_002).every((byte) => byte === 5)).toBe(true);
  });
});
