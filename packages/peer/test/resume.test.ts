import type { Link } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import type { Stream } from '../src/index.ts';
import { MAX_SILENT_PROBES, OWED_AFTER_MS, OWED_AGAIN_MS } from '../src/liveness.ts';
import { BOB, type Channel, Flow, NOTHING, Stage, StallingLink, channels } from './resume-stage.ts';

// A session outlives its links (docs/protocol.md §5.2): whatever was under way when one broke goes on over the next.

const SUSPENDED_AND_RESUMED = ['suspended session.link-lost', 'resumed'];
/** Long enough for a resume, whatever was lost. */
const A_WHILE_MS = 3000;
const OWED_SILENCE_MS = OWED_AFTER_MS + MAX_SILENT_PROBES * OWED_AGAIN_MS;

/** Notes are numbered control messages: what is lost, repeated or out of order shows. */
function sendNotes(stage: Stage, by: 'alice' | 'bob', from: number, count: number): void {
  const session = by === 'alice' ? stage.session() : stage.other();
  for (let i = 0; i < count; i++) session.send({ type: 'relay-close', port: BigInt(from + i), reason: 'closed' });
}

function counted(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

/** Lengths of what goes over the cable, per link and side. */
function overhearLengths(stage: Stage): { readonly wire: number; readonly from: 'alice' | 'bob'; readonly length: number }[] {
  const heard: { readonly wire: number; readonly from: 'alice' | 'bob'; readonly length: number }[] = [];
  stage.world.network.tap((from, _to, message, wire) => {
    heard.push({ wire: wire.id, from: from.host === BOB.host ? 'bob' : 'alice', length: message.length });
  });
  return heard;
}

async function finish(stage: Stage): Promise<void> {
  for (const session of stage.alice.opened) session.close();
  await stage.advance(60_000);
  await expect(stage.leftovers()).resolves.toEqual(NOTHING);
}

function whole(channel: Channel): unknown {
  return [channel.out, channel.back].map(({ written, received, wrong, ended }) => ({ missing: written - received, wrong, ended }));
}

const WHOLE = [
  { missing: 0, wrong: 0, ended: true },
  { missing: 0, wrong: 0, ended: true },
];

describe('a session whose link breaks', () => {
  test('goes on over the next link: both ends are suspended, then resumed, and delivery numbers go on', async () => {
    const stage = await Stage.connected();
    const session = stage.session();
    sendNotes(stage, 'alice', 1, 3);
    await stage.advance(100);
    const before = [session.delivered, stage.other().delivered];
    stage.wire.cut();
    await stage.advance(1);
    expect([session.suspended, session.stalled, session.sending, stage.acceptor.suspended]).toEqual([true, true, true, 1]);
    await stage.advance(A_WHILE_MS);
    expect([stage.alice.events, stage.bob.events]).toEqual([SUSPENDED_AND_RESUMED, SUSPENDED_AND_RESUMED]);
    expect([session.suspended, session.stalled, stage.acceptor.suspended, stage.wires.length]).toEqual([false, false, 0, 2]);
    expect(stage.attempts).toMatchObject([
      { reason: undefined, session: undefined },
      { reason: { code: 'session.link-lost' }, session: session.id },
    ]);
    // The ends of the new link are the session's.
    expect(stage.wires.map((wire) => [wire.dialler, wire.open])).toEqual([
      [stage.wires[0]?.dialler, false],
      [session.link.local, true],
    ]);
    sendNotes(stage, 'alice', 4, 2);
    sendNotes(stage, 'bob', 1, 2);
    await stage.advance(100);
    expect([stage.bob.notes, stage.alice.notes]).toEqual([counted(5), counted(2)]);
    // Streams and relay links notwithstanding, one record each for what was sent in one tick.
    expect([session.delivered, stage.other().delivered]).toEqual([(before[0] as number) + 1, (before[1] as number) + 1]);
    await finish(stage);
  });

  test('makes an ordinary handshake on the next link: nobody on the path can tell a resume from a new connection', async () => {
    const stage = await Stage.open();
    const heard = overhearLengths(stage);
    await stage.connect();
    await stage.advance(100);
    stage.wire.cut();
    await stage.advance(A_WHILE_MS);
    const beginning = (wire: number): unknown => heard.filter((message) => message.wire === wire).slice(0, 3);
    const shape = (wire: number): unknown => [
      { wire, from: 'alice', length: 1280 },
      { wire, from: 'bob', length: 1344 },
      { wire, from: 'alice', length: 384 },
    ];
    expect([beginning(1), beginning(2)]).toEqual([shape(1), shape(2)]);
    await finish(stage);
  });

  test('seals again what the other side has not received: same contents, same order, other bytes', async () => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    const heard = overhearLengths(stage);
    // From now on nothing of Alice's arrives, and she does not know: five records, each of its own length.
    stage.wire.lose('dialler');
    for (let i = 0; i < 5; i++) {
      sendNotes(stage, 'alice', 1 + i, 1);
      channel.out.send(100 + 1000 * i);
      await stage.advance(1);
    }
    stage.wire.cut();
    await stage.advance(A_WHILE_MS);
    const sent = heard.filter(({ from }) => from === 'alice');
    const lost = sent.filter(({ wire }) => wire === 1).map(({ length }) => length);
    const again = sent.filter(({ wire }) => wire === 2).map(({ length }) => length);
    expect(new Set(lost).size).toBe(5);
    // Behind request, opening, and what makes it look like a new session.
    expect(again.slice(3, 8)).toEqual(lost);
    expect(stage.bob.notes).toEqual(counted(5));
    expect(channel.out).toMatchObject({ written: 10_500, received: 10_500, wrong: 0 });
    // No 16-byte block was seen on both links, no key sealed twice with one nonce.
    expect(stage.world.violations).toEqual([]);
    expect(stage.world.watchBlocks().blocks).toBeGreaterThan(2 * (10_500 / 16));
    await finish(stage);
  });

  test('hears of it from its initiator where it has not heard of it at all', async () => {
    const stage = await Stage.connected();
    stage.wire.cut({ toldMs: { listener: Number.POSITIVE_INFINITY } });
    await stage.advance(A_WHILE_MS);
    expect(stage.bob.events).toEqual(SUSPENDED_AND_RESUMED);
    sendNotes(stage, 'bob', 1, 1);
    sendNotes(stage, 'alice', 1, 1);
    await stage.advance(100);
    expect([stage.alice.notes, stage.bob.notes]).toEqual([[1], [1]]);
    await finish(stage);
  });

  test('finds out by itself where nobody was told: both directions silent, then over the next link', async () => {
    const stage = await Stage.connected();
    sendNotes(stage, 'alice', 1, 1);
    stage.wire.lose('dialler', { inFlight: true });
    stage.wire.lose('listener', { inFlight: true });
    await stage.advance(1);
    sendNotes(stage, 'bob', 1, 1);
    // Both wait for acknowledgements.
    await stage.advance(OWED_SILENCE_MS / 2);
    expect(stage.alice.events).toEqual([]);
    await stage.advance(OWED_SILENCE_MS);
    expect(stage.alice.events).toEqual(['suspended session.path-stalled', 'resumed']);
    expect(stage.bob.events.at(-1)).toBe('resumed');
    expect([stage.alice.notes, stage.bob.notes]).toEqual([[1], [1]]);
    await finish(stage);
  });

  test('goes on over a link that is quite another one: slower, faster, of another kind', async () => {
    let next = 0;
    const kinds: ('direct' | 'relayed')[] = ['direct', 'relayed', 'direct', 'relayed'];
    const stage = await Stage.connected({ wrap: (link: Link) => new StallingLink(link, kinds[next++]) });
    const open = channels(stage.bob);
    const channel = open(stage.session());
    channel.out.send(3_000_000);
    channel.back.send(2_000_000);
    for (const [index, latencyMs] of [200, 1, 50].entries()) {
      await stage.advance(150);
      stage.world.network.setPath('198.51.100.1', BOB.host, { latencyMs });
      stage.wire.cut();
      await stage.advance(2000);
      expect(stage.session().link.info.kind).toBe(kinds[index + 1]);
    }
    channel.out.send(1, true);
    channel.back.send(1, true);
    await stage.advance(20_000);
    expect(whole(channel)).toEqual(WHOLE);
    await finish(stage);
  });
});

describe('what was under way when the link broke', () => {
  test.each([
    ['stream-open is lost', 'dialler'],
    ['the acceptance is lost', 'listener'],
  ] as const)('a stream that waits to be opened: %s', async (_what, side) => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    stage.wire.lose(side);
    const channel = open(stage.session());
    await stage.advance(100);
    expect([channel.opened, channel.accepted === undefined]).toEqual([undefined, side === 'dialler']);
    stage.wire.cut();
    await stage.advance(A_WHILE_MS);
    expect([channel.opened?.id, channel.accepted?.id]).toEqual([0, 0]);
    channel.out.send(500_000, true);
    channel.back.send(500_000, true);
    await stage.advance(5000);
    expect(whole(channel)).toEqual(WHOLE);
    await finish(stage);
  });

  test('a stream that waits to be opened: the acceptance is lost, and the stream is over when all else of it comes again', async () => {
    const stage = await Stage.connected();
    stage.bob.protocols.serve('/short/1', (stream) => {
      // Not in the record of the acceptance, which has nothing numbered in it and is not sent again.
      stage.world.clock.after(10, () => {
        stream.write(Uint8Array.of(1, 2, 3));
        stream.end();
      });
      stage.world.clock.after(50, () => stream.reset('stream.failed'));
    });
    stage.wire.lose('listener');
    const opening = stage.session().openStream('/short/1');
    await stage.advance(200);
    stage.wire.cut();
    const stream = await stage.world.run(opening);
    const heard: (number[] | string | undefined)[] = [];
    stream.attach({ data: (bytes) => void heard.push([...bytes]), closed: (error) => void heard.push(error?.code) });
    expect(heard).toEqual([[1, 2, 3], 'stream.failed']);
    await finish(stage);
  });

  test('a stream that nobody serves: the refusal is lost, and comes again', async () => {
    const stage = await Stage.connected();
    stage.wire.lose('listener');
    const stream = stage.session().openStream('/nobody/1');
    await stage.advance(100);
    stage.wire.cut();
    await expect(stage.world.run(stream)).rejects.toMatchObject({ code: 'stream.unknown-protocol' });
    await finish(stage);
  });

  test('data that waits for credit, and credit that is lost: it is told anew', async () => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    channel.accepted?.pause();
    channel.out.send(2_500_000);
    await stage.advance(1000);
    const [opened, accepted] = [channel.opened, channel.accepted] as [Stream, Stream];
    // The whole window is used up, and the rest waits.
    expect([opened.bytesSent, opened.pendingBytes > 0]).toEqual([accepted.windowBytes, true]);
    // Whatever Bob says of it from here on is lost.
    stage.wire.lose('listener', { inFlight: true });
    accepted.resume();
    await stage.advance(500);
    expect([channel.out.received, opened.bytesSent]).toEqual([accepted.windowBytes, accepted.windowBytes]);
    stage.wire.cut();
    await stage.advance(A_WHILE_MS);
    expect(channel.out).toMatchObject({ received: 2_500_000, wrong: 0 });
    await finish(stage);
  });

  test('a record that was half written, and one that its link had not taken yet', async () => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    // In the tick of the break: before it is known, and before the flush at the end of the tick.
    stage.world.clock.soon(() => {
      channel.out.send(70_000);
      channel.back.send(1000);
      sendNotes(stage, 'bob', 1, 1);
    });
    stage.wire.cut();
    await stage.advance(1);
    // One record full and sent for nothing, one begun.
    expect([stage.session().suspended, channel.accepted?.bytesSent, stage.bob.slabs.out]).toEqual([true, 1000, 1]);
    expect(channel.opened?.bytesSent).toBeGreaterThan(60_000);
    sendNotes(stage, 'alice', 1, 1);
    await stage.advance(A_WHILE_MS);
    expect([channel.out, channel.back]).toMatchObject([
      { received: 70_000, wrong: 0 },
      { received: 1000, wrong: 0 },
    ]);
    expect([stage.alice.notes, stage.bob.notes]).toEqual([[1], [1]]);
    await finish(stage);
  });

  test('acknowledgements that are lost: nothing that was received comes again', async () => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    stage.wire.lose('listener');
    channel.out.send(200_000);
    sendNotes(stage, 'alice', 1, 10);
    await stage.advance(500);
    expect(channel.out.received).toBe(200_000);
    const heard = overhearLengths(stage);
    stage.wire.cut();
    await stage.advance(A_WHILE_MS);
    expect([channel.out.received, channel.out.wrong, stage.bob.notes]).toEqual([200_000, 0, counted(10)]);
    const bytes = heard.filter(({ wire, from }) => wire === 2 && from === 'alice').reduce((sum, { length }) => sum + length, 0);
    // Handshake and a few small records.
    expect(bytes).toBeLessThan(3000);
    // And Alice has let go of all of it.
    expect(stage.alice.slabs.out).toBe(0);
    await finish(stage);
  });

  test.each(['dialler', 'listener'] as const)('the end of a stream, where what the %s sends is lost', async (side) => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    stage.wire.lose(side);
    channel.out.send(1000, true);
    channel.back.send(1000, true);
    await stage.advance(500);
    stage.wire.cut();
    await stage.advance(A_WHILE_MS);
    expect(whole(channel)).toEqual(WHOLE);
    expect([channel.out.closedWith, channel.back.closedWith, channel.out.finished, channel.back.finished]).toEqual([
      undefined,
      undefined,
      true,
      true,
    ]);
    await finish(stage);
  });

  test('the reset of a stream, which the other side has not heard', async () => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    stage.wire.lose('dialler');
    channel.out.send(1000);
    await stage.advance(10);
    channel.opened?.reset('stream.failed');
    await stage.advance(100);
    stage.wire.cut();
    await stage.advance(A_WHILE_MS);
    expect([channel.out.received, channel.back.closedWith]).toMatchObject([1000, { code: 'stream.failed' }]);
    await finish(stage);
  });

  test('messages of relay links: those that wait, and those said while there is no link', async () => {
    const stage = await Stage.connected();
    stage.wire.lose('dialler');
    sendNotes(stage, 'alice', 1, 200);
    sendNotes(stage, 'bob', 1, 200);
    stage.wire.cut();
    sendNotes(stage, 'alice', 201, 100);
    await stage.advance(1);
    expect(stage.session().suspended).toBe(true);
    sendNotes(stage, 'alice', 301, 100);
    sendNotes(stage, 'bob', 201, 100);
    // The links they are of were told: interrupted, then the newest credit has to go out again.
    await stage.advance(A_WHILE_MS);
    expect([stage.bob.notes, stage.alice.notes]).toEqual([counted(400), counted(300)]);
    expect([stage.alice.carried, stage.bob.carried]).toEqual([
      ['stalled', 'flowing anew'],
      ['stalled', 'flowing anew'],
    ]);
    await finish(stage);
  });

  test('a hello that is lost: the session is greeted over the next link', async () => {
    const stage = await Stage.open();
    stage.world.network.watch((wire) => {
      // Behind the answer.
      if (wire.id === 1) wire.cut({ at: { side: 'listener', byte: 1344 } });
    });
    const session = await stage.connect();
    await stage.world.run(session.greeted);
    expect(stage.alice.events).toEqual(SUSPENDED_AND_RESUMED);
    expect(stage.bob.opened).toHaveLength(1);
    await finish(stage);
  });

  test('megabytes that are lost again and again before all of them could be sent again', async () => {
    const stage = await Stage.connected({ latencyMs: 100 });
    const open = channels(stage.bob);
    const [one, two] = [open(stage.session()), open(stage.session())];
    await stage.advance(500);
    stage.wire.lose('dialler');
    for (const channel of [one, two]) channel.out.send(900_000);
    sendNotes(stage, 'alice', 1, 10);
    await stage.advance(100);
    const session = stage.session();
    // Each link is good for a bit more than a handshake: some records are received, some sent for nothing, some not even.
    stage.world.network.watch((wire) => {
      if (wire.id < 12) wire.cut({ at: { side: 'dialler', byte: 1664 + 30_000 * wire.id }, inFlight: wire.id % 2 === 0 });
    });
    sendNotes(stage, 'alice', 11, 10);
    stage.wire.cut();
    await stage.advance(10_000);
    expect(stage.wires.length).toBe(12);
    for (const channel of [one, two]) {
      channel.out.send(1, true);
      channel.back.send(1, true);
    }
    await stage.advance(5000);
    expect([whole(one), whole(two), stage.bob.notes]).toEqual([WHOLE, WHOLE, counted(20)]);
    expect(session.sending).toBe(true);
    await finish(stage);
  });
});

describe('a record that fails authentication', () => {
  /** Changes a bit of the n-th message of one side on one link. */
  function flip(stage: Stage, wireId: number, from: 'alice' | 'bob', nth: number, at = 0): void {
    let seen = 0;
    stage.world.network.tap((source, _to, message, wire) => {
      if (wire.id !== wireId || (source.host === BOB.host) !== (from === 'bob')) return;
      if (seen++ === nth) message[Math.min(at, message.length - 1)] = (message.at(Math.min(at, message.length - 1)) as number) ^ 0x10;
    });
  }

  const CASES = (['alice', 'bob'] as const).flatMap((from) => [0, 7, 100_000].map((at) => [from, at] as const));
  test.each(CASES)("of %s's, byte %i: ends the epoch, not the session", async (from, at) => {
    const stage = await Stage.connected();
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    flip(stage, 1, from, 3, at);
    channel.out.send(300_000, true);
    channel.back.send(300_000, true);
    await stage.advance(A_WHILE_MS);
    const [victim, other] = from === 'alice' ? [stage.bob, stage.alice] : [stage.alice, stage.bob];
    expect(victim.events).toEqual(['suspended session.record-failed', 'resumed']);
    expect(other.events).toEqual(SUSPENDED_AND_RESUMED);
    expect(whole(channel)).toEqual(WHOLE);
    await finish(stage);
  });

  test.each([
    ['the answer', 'bob', 0],
    ['the opening', 'alice', 1],
    ['resumed', 'bob', 1],
    ['the first record behind resumed', 'bob', 2],
    ['the first record behind the opening', 'alice', 2],
  ] as const)('of a resume, %s: the next link after it', async (_what, from, nth) => {
    const stage = await Stage.connected();
    stage.wire.lose('listener');
    sendNotes(stage, 'bob', 1, 5);
    sendNotes(stage, 'alice', 1, 5);
    await stage.advance(100);
    flip(stage, 2, from, nth);
    stage.wire.cut();
    await stage.advance(A_WHILE_MS);
    sendNotes(stage, 'bob', 6, 5);
    sendNotes(stage, 'alice', 6, 5);
    await stage.advance(A_WHILE_MS);
    expect(stage.wires.length).toBe(3);
    expect([stage.bob.notes, stage.alice.notes]).toEqual([counted(10), counted(10)]);
    await finish(stage);
  });

  test('on every link: the session ends with its grace period, and says that it was authentication', async () => {
    const stage = await Stage.connected();
    stage.world.network.tap((source, _to, message) => {
      if (source.host === BOB.host) message[0] = (message[0] as number) ^ 1;
    });
    stage.other().send({ type: 'ping', token: new Uint8Array(8) });
    const reason = await stage.world.run(stage.session().closed);
    expect(reason).toBeInstanceOf(MatryoshkaError);
    expect(reason).toMatchObject({ code: 'session.record-failed', cause: { code: 'session.handshake-failed' } });
    await finish(stage);
  });
});

test('a flow that goes wrong shows', () => {
  const [flow, source] = [new Flow(1), new Flow(2)];
  flow.take(Uint8Array.of(1, 32));
  expect([flow.wrong, flow.received]).toEqual([0, 2]);
  flow.take(Uint8Array.of(2));
  source.take(Uint8Array.of(1));
  expect([flow.wrong, source.wrong]).toEqual([1, 1]);
});
