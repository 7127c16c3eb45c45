import type { Connection } from '@matryoshka/node';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TimedEvent } from '../../events.ts';
import { DemoError } from '../demo-error.ts';
import { Conversation, TELL_AFTER_MS } from './conversation.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const names = { ofPeer: (peerId: string): string => peerId.replace('peer ', '') };

/** A's conversation, and the lines that are told of it. */
function conversation(kind: string, destination: string): { readonly told: string[]; readonly it: Conversation } {
  const told: string[] = [];
  return { told, it: new Conversation({ kind, destination, names, say: (line) => told.push(line) }) };
}
const connection = (id: string, ...hops: readonly string[]): Pick<Connection, 'id' | 'hops'> => ({
  id,
  hops: hops.length === 0 ? undefined : (hops.map((name) => ({ peerId: `peer ${name}` })) as unknown as NonNullable<Connection['hops']>),
});
const event = (name: string, id: string, more: object = {}): TimedEvent =>
  ({ event: name, at: 0, connection: { id }, ...more }) as unknown as TimedEvent;

describe('what is told of a conversation', () => {
  test('another path, with the longest pause, once a message has come over it', () => {
    const { told, it } = conversation('relayed', 'D');
    it.connected(connection('s1'));
    it.message();
    it.hear(event('suspended', 's1'));
    vi.advanceTimersByTime(400);
    it.hear(event('path-changed', 's1', { gateway: 'peer F' }));
    it.hear(event('resumed', 's1'));
    vi.advanceTimersByTime(20);
    it.message();
    it.message();
    expect(told).toEqual([
      "A's relayed connection to D is there",
      "A's relayed connection to D goes on over another path: A > F > … > D; longest pause 420 ms",
    ]);
  });

  test('the hops of a circuit, since A knows them', () => {
    const { told, it } = conversation('telescoped', 'E');
    it.connected(connection('s2', 'B', 'C', 'E'));
    expect(told).toEqual(["A's telescoped connection to E is there: A > B > C > E"]);
  });

  test('not what happens to other connections', () => {
    const { told, it } = conversation('relayed', 'D');
    it.connected(connection('s1'));
    it.hear(event('path-changed', 's2', { gateway: 'peer F' }));
    it.message();
    expect(told).toHaveLength(1);
  });

  test('a long silence, once; then the end and the new beginning, and no attempt in between', () => {
    const { told, it } = conversation('relayed', 'D');
    it.connected(connection('s1'));
    vi.advanceTimersByTime(3 * TELL_AFTER_MS);
    for (let attempt = 0; attempt < 3; attempt++) {
      it.lost(new DemoError('nobody is there'));
      vi.advanceTimersByTime(1_000);
    }
    it.connected(connection('s9'));
    it.end();
    vi.advanceTimersByTime(3 * TELL_AFTER_MS);
    expect(told.slice(1)).toEqual([
      "A's relayed connection to D has been silent for 5 s: there is no way yet, and it waits for relays to be back",
      "A's relayed connection to D is over: nobody is there; it is made again as soon as there is a way",
      "A's relayed connection to D is there again, after 3 s",
    ]);
  });
});
