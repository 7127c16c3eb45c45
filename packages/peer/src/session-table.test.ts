import type { RemoteIdentity } from '@matryoshka/session';
import type { MatryoshkaError, ReasonCode } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RESUME_SETTINGS, type ResumeSettings } from './resume-settings.ts';
import type { Session } from './session.ts';
import { SessionTable } from './session-table.ts';

/** A session as the table sees it: from whom, from where, and that it may be closed. */
class Fake {
  readonly id: Uint8Array;
  readonly session: Session;
  closedWith: ReasonCode | undefined;

  constructor(table: SessionTable, number: number, from: { readonly peer?: string; readonly host?: string } = {}) {
    const { peer, host = '203.0.113.1' } = from;
    this.id = new Uint8Array(16);
    new DataView(this.id.buffer).setUint32(0, number);
    const remote = (peer === undefined ? { authenticated: false } : { authenticated: true, peerId: peer }) as RemoteIdentity;
    this.session = {
      remote,
      link: { remote: { transport: 'tcp', host, port: 1 } },
      close: (reason: MatryoshkaError) => {
        this.closedWith = reason.code;
        table.remove(this.id, this.session, reason.code);
      },
    } as unknown as Session;
    table.add(this.id, this.session);
  }
}

function tableOf(settings: Partial<ResumeSettings> = {}): SessionTable {
  return new SessionTable({ ...DEFAULT_RESUME_SETTINGS, ...settings });
}

function evicted(fakes: readonly Fake[]): number[] {
  return fakes.flatMap(({ closedWith }, i) => (closedWith === undefined ? [] : [i]));
}

describe('the table of sessions that others opened', () => {
  test('finds a session by its id, live or suspended, until it is over', () => {
    const table = tableOf();
    const [one, two] = [new Fake(table, 1), new Fake(table, 2)];
    expect([table.find(one.id), table.find(two.id.slice()), table.find(new Uint8Array(16))]).toEqual([one.session, two.session, undefined]);
    table.suspend(one.session);
    expect([table.find(one.id), table.suspended]).toEqual([one.session, 1]);
    table.resume(one.session);
    expect([table.find(one.id), table.suspended]).toEqual([one.session, 0]);
    table.suspend(one.session);
    table.remove(one.id, one.session, 'closed');
    expect([table.find(one.id), table.find(two.id), table.suspended]).toEqual([undefined, two.session, 0]);
  });

  test('says why there is no such session: what it ended with, or that it never was', () => {
    const table = tableOf();
    const one = new Fake(table, 1);
    expect(table.ended(one.id)).toBeUndefined();
    table.remove(one.id, one.session, 'session.path-stalled');
    expect([table.refuse(one.id), table.ended(one.id)]).toEqual(['session.path-stalled', 'session.path-stalled']);
    const unknown = new Uint8Array(16).fill(9);
    expect(table.ended(unknown)).toBeUndefined();
    expect(table.refuse(unknown)).toBe('session.resume-unknown');
    // Said once, it stays so: the opening of that very session may still be on its way.
    expect(table.ended(unknown)).toBe('session.resume-unknown');
  });

  test('remembers 4,096 endings, refusals among them; then the oldest are forgotten', () => {
    const table = tableOf();
    const idOf = (number: number): Uint8Array => {
      const id = new Uint8Array(16);
      new DataView(id.buffer).setUint32(12, number);
      return id;
    };
    const first = new Fake(table, 1);
    table.remove(first.id, first.session, 'shutdown');
    for (let i = 0; i < 4095; i++) table.refuse(idOf(i));
    expect([table.ended(first.id), table.ended(idOf(0))]).toEqual(['shutdown', 'session.resume-unknown']);
    table.refuse(idOf(4095));
    expect([table.ended(first.id), table.ended(idOf(0)), table.ended(idOf(4095))]).toEqual([
      undefined,
      'session.resume-unknown',
      'session.resume-unknown',
    ]);
  });
});

describe('suspended sessions above a bound', () => {
  test('of one peer: the oldest of that peer is given up, nobody else', () => {
    const table = tableOf({ maxSuspendedPerPeer: 2 });
    const fakes = [
      new Fake(table, 1, { peer: 'b' }),
      new Fake(table, 2, { peer: 'a' }),
      new Fake(table, 3, { peer: 'a' }),
      new Fake(table, 4),
      new Fake(table, 5, { peer: 'a', host: '198.51.100.7' }),
    ];
    for (const { session } of fakes) table.suspend(session);
    expect([evicted(fakes), fakes[1]?.closedWith, table.suspended]).toEqual([[1], 'session.evicted', 4]);
    expect(table.refuse((fakes[1] as Fake).id)).toBe('session.evicted');
  });

  test('of one network: anonymous ones first, then the oldest; other networks are left alone', () => {
    const table = tableOf({ maxSuspendedPerNetwork: 2 });
    const fakes = [
      new Fake(table, 1, { host: '198.51.100.1' }),
      new Fake(table, 2, { peer: 'a', host: '203.0.113.1' }),
      new Fake(table, 3, { host: '203.0.113.2' }),
      new Fake(table, 4, { peer: 'b', host: '203.0.250.3' }),
      new Fake(table, 5, { peer: 'c', host: '203.0.113.4' }),
    ];
    for (const { session } of fakes) table.suspend(session);
    expect(evicted(fakes)).toEqual([1, 2]);
    expect(table.suspended).toBe(3);
  });

  test('of one network of IPv6: 48 bits are one', () => {
    const table = tableOf({ maxSuspendedPerNetwork: 1 });
    const fakes = [
      new Fake(table, 1, { peer: 'a', host: '2001:db8:1::1' }),
      new Fake(table, 2, { peer: 'b', host: '2001:db8:2::1' }),
      new Fake(table, 3, { peer: 'c', host: '2001:db8:1:ffff::9' }),
    ];
    for (const { session } of fakes) table.suspend(session);
    expect(evicted(fakes)).toEqual([0]);
  });

  test('in all: anonymous ones first, wherever they are from, the new one as well', () => {
    const table = tableOf({ maxSuspended: 2 });
    const fakes = [
      new Fake(table, 1, { peer: 'a', host: '10.1.0.1' }),
      new Fake(table, 2, { peer: 'b', host: '10.2.0.1' }),
      new Fake(table, 3, { host: '10.3.0.1' }),
      new Fake(table, 4, { peer: 'd', host: '10.4.0.1' }),
    ];
    for (const { session } of fakes) table.suspend(session);
    expect(evicted(fakes)).toEqual([0, 2]);
    expect(table.suspended).toBe(2);
  });

  test('are never more than the bounds, whoever comes, however many', () => {
    const table = tableOf({ maxSuspended: 50, maxSuspendedPerNetwork: 20, maxSuspendedPerPeer: 5 });
    const fakes: Fake[] = [];
    for (let i = 0; i < 1000; i++) {
      const peer = i % 3 === 0 ? undefined : `p${i % 40}`;
      const fake = new Fake(table, i, { host: `10.${i % 7}.0.${i % 200}`, ...(peer && { peer }) });
      fakes.push(fake);
      table.suspend(fake.session);
      const left = fakes.filter(({ closedWith }) => closedWith === undefined);
      expect(left.length).toBe(table.suspended);
      const most = (of: (fake: Fake) => string | undefined): number => {
        const counts = new Map<string, number>();
        for (const each of left) {
          const key = of(each);
          if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
        }
        return Math.max(0, ...counts.values());
      };
      expect(left.length).toBeLessThanOrEqual(50);
      expect(most(({ session }) => session.link.remote.host.split('.')[1])).toBeLessThanOrEqual(20);
      expect(most(({ session: { remote } }) => (remote.authenticated ? remote.peerId : undefined))).toBeLessThanOrEqual(5);
    }
  });
});
