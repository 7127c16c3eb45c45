import { MAX_OWN_PLAINTEXT_LENGTH } from '@matryoshka/session';
import type { Message, ReasonCode } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { CONTROL_LIMIT_BYTES, CONTROL_OVERHEAD_BYTES } from '../src/outbox.ts';
import { HELLO, pattern } from './pair.ts';
import { MessageType, header, rawPair } from './raw-peer.ts';

// What a peer that holds the keys may try, and what it gets: a typed goodbye, at once, and nobody else is hurt.

const OPEN: Message = { type: 'stream-open', streamId: 0, window: 1000, protocol: '/echo/1' };

const CASES: readonly (readonly [what: string, messages: readonly Message[] | Uint8Array, reason: ReasonCode])[] = [
  ['an unknown critical type', Uint8Array.from(header(0x7f, 0)), 'wire.unknown-critical'],
  ['a body that is longer than the record', Uint8Array.from([...header(MessageType.ping, 8), 1]), 'wire.truncated'],
  ['half a header', Uint8Array.of(MessageType.ping, 0), 'wire.truncated'],
  ['a body that is too short', Uint8Array.from([...header(MessageType.acknowledge, 7), 0, 0, 0, 0, 0, 0, 0]), 'wire.truncated'],
  ['a body that is too long', Uint8Array.from([...header(MessageType.streamEnd, 5), 0, 0, 0, 0, 0]), 'wire.trailing'],
  ['stream data without a stream', Uint8Array.from([...header(MessageType.streamData, 3), 0, 0, 0]), 'wire.truncated'],
  ['relay data without a port', Uint8Array.from([...header(MessageType.relayData, 8), 0, 0, 0, 0, 0, 0, 0, 1]), 'wire.truncated'],
  ['an acknowledgement of what was never sent', [{ type: 'acknowledge', delivered: 2 }], 'session.acknowledge-invalid'],
  ['records of a length that they may not all have', Uint8Array.from([...header(MessageType.shape, 2), 0, 16]), 'wire.invalid'],
  ['a part of a message that must not be cut', [{ type: 'part', bytes: Uint8Array.of(MessageType.ping, 0, 8, 1) }], 'session.unexpected'],
  ['a part with less than a header', [{ type: 'part', bytes: Uint8Array.of(MessageType.streamOpen, 0) }], 'session.unexpected'],
  ['a part of a part', [{ type: 'part', bytes: Uint8Array.of(MessageType.part, 0, 8, 1) }], 'session.unexpected'],
  [
    'another message before the rest of one that is cut',
    [{ type: 'part', bytes: Uint8Array.of(MessageType.streamData, 0, 8, 1) }, OPEN],
    'session.unexpected',
  ],
  [
    'more than the rest of a message that is cut',
    [
      { type: 'part', bytes: Uint8Array.of(MessageType.streamData, 0, 8, 1) },
      { type: 'part', bytes: new Uint8Array(8) },
    ],
    'session.unexpected',
  ],
  ['a cut message that cannot be read', [{ type: 'part', bytes: Uint8Array.of(MessageType.streamEnd, 0, 1, 1) }], 'wire.truncated'],
  ['a second session-new', [{ type: 'session-new', recordLength: 0 }], 'session.unexpected'],
  [
    'a resume inside a session',
    [{ type: 'session-resume', sessionId: pattern(16), delivered: 0, proof: pattern(32) }],
    'session.unexpected',
  ],
  ['an answer to no resume', [{ type: 'resumed', delivered: 0, proof: pattern(32) }], 'session.unexpected'],
  ['a refusal of no resume', [{ type: 'resume-refused', reason: 'closed' }], 'session.unexpected'],
  ['a stream id that is not the next one', [{ ...OPEN, streamId: 2 }], 'session.unexpected'],
  ['a stream id of ours', [{ ...OPEN, streamId: 1 }], 'session.unexpected'],
  ['a stream id twice', [OPEN, OPEN], 'session.unexpected'],
  ['data of a stream that was never opened', [{ type: 'stream-data', streamId: 0, bytes: Uint8Array.of(1) }], 'stream.unknown'],
  ['data of a stream of ours that was never opened', [{ type: 'stream-data', streamId: 1, bytes: Uint8Array.of(1) }], 'stream.unknown'],
  ['credit of a stream that was never opened', [{ type: 'stream-credit', streamId: 4, total: 1 }], 'stream.unknown'],
  ['the end of a stream that was never opened', [{ type: 'stream-end', streamId: 4 }], 'stream.unknown'],
  ['the reset of a stream that was never opened', [{ type: 'stream-reset', streamId: 4, reason: 'closed' }], 'stream.unknown'],
  ['two ends of a stream', [OPEN, { type: 'stream-end', streamId: 0 }, { type: 'stream-end', streamId: 0 }], 'session.unexpected'],
  [
    'data after the end',
    [OPEN, { type: 'stream-end', streamId: 0 }, { type: 'stream-data', streamId: 0, bytes: Uint8Array.of(1) }],
    'session.unexpected',
  ],
];

describe('a peer that sends', () => {
  test.each(CASES)('%s gets a typed goodbye', async (_what, messages, reason) => {
    const { world, node, session, raw } = await rawPair();
    // Nobody attaches to its streams: they stay open.
    node.protocols.serve('/echo/1', () => {});
    if (messages instanceof Uint8Array) raw.seal(messages);
    else raw.send(...messages);
    await world.clock.run();
    expect(raw.of('goodbye')).toEqual([{ type: 'goodbye', reason }]);
    await expect(session.closed).resolves.toMatchObject({ code: reason });
    expect(raw.closed).toMatchObject({ code: 'transport.closed' });
    expect(node.slabs.out).toBe(0);
  });

  test.each<Message>([OPEN, { type: 'relay-close', port: 1n, reason: 'closed' }])(
    '$type before hello gets a typed goodbye',
    async (message) => {
      const { world, session, raw } = await rawPair({ hello: false });
      raw.send(message);
      await world.clock.run();
      expect(raw.of('goodbye')).toEqual([{ type: 'goodbye', reason: 'session.unexpected' }]);
      await expect(session.closed).resolves.toMatchObject({ code: 'session.unexpected', message: expect.stringContaining('hello') });
    },
  );

  test('unknown optional messages, cover and padding is heard for the rest', async () => {
    const { world, session, raw } = await rawPair();
    raw.seal(
      Uint8Array.from([
        ...header(0xfe, 2),
        1,
        2,
        ...header(0x81, 0),
        ...header(MessageType.ping, 8),
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        0,
        0xff,
        0xff,
      ]),
    );
    await world.clock.advance(10);
    expect(raw.of('pong')).toEqual([{ type: 'pong', token: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }]);
    raw.seal(new Uint8Array(0));
    await world.clock.advance(10);
    expect(session.sending).toBe(true);
  });

  test('data past its credit loses the session, not our memory', async () => {
    const { world, node, session, raw } = await rawPair();
    node.protocols.serve('/hold/1', () => {});
    raw.send({ ...OPEN, protocol: '/hold/1' });
    await world.clock.advance(1);
    const window = raw.of('stream-credit')[0]?.total as number;
    for (let sent = 0; sent < window; sent += 32 * 1024) raw.send({ type: 'stream-data', streamId: 0, bytes: new Uint8Array(32 * 1024) });
    await world.clock.advance(1);
    expect(session.sending).toBe(true);
    raw.send({ type: 'stream-data', streamId: 0, bytes: new Uint8Array(1) });
    await world.clock.advance(1);
    expect(raw.of('goodbye')).toEqual([{ type: 'goodbye', reason: 'session.credit-exceeded' }]);
  });

  test('streams above the limit gets each of them refused, and one more when one is over', async () => {
    const { world, node, session, raw } = await rawPair();
    node.protocols.serve('/hold/1', () => {});
    for (let i = 0; i < 258; i++) raw.send({ ...OPEN, streamId: 2 * i, protocol: '/hold/1' });
    await world.clock.advance(1);
    expect(raw.of('stream-reset')).toEqual([512, 514].map((streamId) => ({ type: 'stream-reset', streamId, reason: 'stream.limit' })));
    raw.send({ type: 'stream-reset', streamId: 0, reason: 'closed' }, { ...OPEN, streamId: 516, protocol: '/hold/1' });
    await world.clock.advance(1);
    expect(raw.of('stream-credit').at(-1)).toMatchObject({ streamId: 516 });
    expect([...session.streams]).toHaveLength(256);
  });

  test('data for a stream that was refused or reset here is let go', async () => {
    const { world, node, session, raw } = await rawPair();
    node.protocols.serve('/once/1', (stream) => stream.reset());
    const late: Message[] = [
      { type: 'stream-data', streamId: 0, bytes: new Uint8Array(40_000) },
      { type: 'stream-credit', streamId: 0, total: 10 },
      { type: 'stream-end', streamId: 0 },
      { type: 'stream-reset', streamId: 0, reason: 'closed' },
    ];
    raw.send({ ...OPEN, protocol: '/once/1' }, ...late);
    raw.send({ ...OPEN, streamId: 2, protocol: '/nothing/1' }, ...late.map((message) => ({ ...message, streamId: 2 }) as Message));
    await world.clock.advance(1);
    expect(session.sending).toBe(true);
    expect(raw.of('stream-reset').map(({ reason }) => reason)).toEqual(['stream.reset', 'stream.unknown-protocol']);
  });

  test.each<readonly [string, (index: number) => Message]>([
    ['pings', () => ({ type: 'ping', token: pattern(8) })],
    ['streams nobody serves', (index) => ({ type: 'stream-open', streamId: index * 2, window: 0, protocol: '/no/1' })],
  ])('a flood of %s and takes no answers is let go, within bounds', async (_what, message) => {
    const { world, node, session, raw } = await rawPair();
    raw.link.pause();
    let index = 0;
    while (session.sending && index < 400_000) {
      raw.send(...Array.from({ length: 2000 }, () => message(index++)));
      await world.clock.advance(1);
    }
    await expect(session.closed).resolves.toMatchObject({ code: 'session.unexpected' });
    // What waits, at 64 bytes beside its own each, and what the link took before it was full.
    expect(index).toBeLessThan(CONTROL_LIMIT_BYTES / (CONTROL_OVERHEAD_BYTES + 9) + 50_000);
    expect(node.slabs.most).toBeLessThanOrEqual(4);
  });

  test('many tiny pieces to a reader that does not read takes no more memory than their bytes', async () => {
    const { world, node, session, raw } = await rawPair();
    node.protocols.serve('/hold/1', () => {});
    raw.send({ ...OPEN, protocol: '/hold/1' });
    const piece: Message = { type: 'stream-data', streamId: 0, bytes: Uint8Array.of(7) };
    const empty: Message = { type: 'stream-data', streamId: 0, bytes: new Uint8Array(0) };
    for (let i = 0; i < 20; i++) raw.send(...Array.from({ length: 5000 }, () => piece), ...Array.from({ length: 3000 }, () => empty));
    await world.clock.advance(1);
    expect(session.sending).toBe(true);
    let got = 0;
    const buffers = new Set<ArrayBufferLike>();
    [...session.streams][0]?.attach({
      data: (bytes) => {
        got += bytes.length;
        buffers.add(bytes.buffer);
      },
    });
    expect(got).toBe(100_000);
    expect([...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(104_096);
  });
});

describe('a record that is', () => {
  test.each<readonly [string, (record: Uint8Array) => Uint8Array]>([
    ['changed', (record) => record.map((byte, index) => (index === 0 ? byte ^ 1 : byte))],
    ['cut short', (record) => record.subarray(0, record.length - 1)],
    ['shorter than a tag', (record) => record.subarray(0, 5)],
    ['somebody else wrote', (record) => record.map((_, index) => index)],
  ])('%s ends the link without a word', async (_what, change) => {
    const { world, node, session, raw } = await rawPair();
    const before = raw.received.length;
    raw.link.send([change(raw.sealed(pattern(100)))]);
    raw.send({ type: 'ping', token: pattern(8) });
    await world.clock.run();
    await expect(session.closed).resolves.toMatchObject({ code: 'session.record-failed' });
    expect([raw.of('goodbye'), raw.of('pong'), raw.received.length]).toEqual([[], [], before]);
    expect(raw.closed).toMatchObject({ code: 'transport.closed' });
    expect(node.ended).toHaveLength(1);
  });

  test('replayed ends the link without a word', async () => {
    const { world, session, raw } = await rawPair();
    const record = raw.sealed(Uint8Array.from([...header(MessageType.ping, 8), 1, 2, 3, 4, 5, 6, 7, 8]));
    raw.link.send([record.slice()]);
    raw.link.send([record.slice()]);
    await world.clock.run();
    await expect(session.closed).resolves.toMatchObject({ code: 'session.record-failed' });
    expect(raw.of('goodbye')).toEqual([]);
  });

  test('out of order or left out ends the link without a word', async () => {
    const { world, session, raw } = await rawPair();
    raw.sealed(Uint8Array.of(0));
    raw.send({ type: 'ping', token: pattern(8) });
    await world.clock.run();
    await expect(session.closed).resolves.toMatchObject({ code: 'session.record-failed' });
    expect([raw.of('goodbye'), raw.of('pong')]).toEqual([[], []]);
  });

  test('reflected ends the link without a word', async () => {
    const { world, session, raw, node } = await rawPair();
    let reflected: Uint8Array | undefined;
    const attach = raw.link.attach.bind(raw.link);
    attach({
      message: (bytes) => void (reflected = bytes.slice()),
      written: () => {},
      writable: () => {},
      stalled: () => {},
      flowing: () => {},
      closed: () => {},
    });
    session.send(HELLO);
    await world.clock.advance(1);
    raw.link.send([reflected as Uint8Array]);
    await world.clock.run();
    await expect(session.closed).resolves.toMatchObject({ code: 'session.record-failed' });
    expect(node.hellos).toHaveLength(1);
  });

  test('as large as a link carries is fine', async () => {
    const { world, session, raw } = await rawPair();
    raw.send({ type: 'cover', bytes: new Uint8Array(65_535 - 16 - 3) });
    raw.send({ type: 'cover', bytes: new Uint8Array(MAX_OWN_PLAINTEXT_LENGTH) });
    await world.clock.advance(1);
    expect(session.sending).toBe(true);
  });
});
