import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { StandingClock } from '../../test/standing-clock.ts';
import { SocketWriter } from './socket-writer.ts';

/** Lengths of what the system was given, one per call. */
let calls: number[];
let clock: StandingClock;
let writer: SocketWriter;

beforeEach(() => {
  calls = [];
  clock = new StandingClock();
  const socket = new Writable({
    write(chunk: Uint8Array, _, done) {
      calls.push(chunk.length);
      done();
    },
    writev(chunks, done) {
      calls.push(chunks.reduce((sum, { chunk }) => sum + (chunk as Uint8Array).length, 0));
      done();
    },
  });
  writer = new SocketWriter(socket as Socket, clock, () => {});
});

describe('a socket writer', () => {
  test('gives the system what is sent within one tick in one call, however long the parts', async () => {
    for (const length of [10, 20, 8000]) writer.sendBytes(new Uint8Array(length));
    expect(calls).toEqual([]);
    await nextTurn();
    expect(calls).toEqual([8030]);
  });

  test('gives it what was sent meanwhile where a tick takes long', async () => {
    writer.sendBytes(new Uint8Array(1));
    clock.pass(0.4);
    writer.sendBytes(new Uint8Array(2));
    expect(calls).toEqual([]);
    clock.pass(0.1);
    writer.sendBytes(new Uint8Array(4));
    expect(calls).toEqual([7]);
    clock.pass(0.4);
    writer.sendBytes(new Uint8Array(8));
    await nextTurn();
    expect(calls).toEqual([7, 8]);
    expect(writer.written).toBe(4);
  });
});
