import { describe, expect, test } from 'vitest';
import { AddressAdmission, type AdmissionSettings, DEFAULT_ADMISSION_SETTINGS, OPEN_ADMISSION, sourceNetwork } from './admission.ts';
import type { Clock } from './clock.ts';

interface Setting {
  readonly admission: AddressAdmission;
  readonly refused: string[];
  pass(ms: number): void;
  /** How many of so many attempts are let in. */
  attempts(host: string, count: number): number;
}

function setting(settings: Partial<AdmissionSettings> = {}): Setting {
  let nowMs = 0;
  const refused: string[] = [];
  const clock = { now: () => nowMs } as Clock;
  const admission = new AddressAdmission(clock, { ...DEFAULT_ADMISSION_SETTINGS, ...settings }, (reason) => refused.push(reason));
  return {
    admission,
    refused,
    pass: (ms) => void (nowMs += ms),
    attempts: (host, count) => Array.from({ length: count }, () => admission.admit(host)).filter((one) => one?.silent === false).length,
  };
}

const RATE = { attempts: { perSecond: 10, burst: 20 } };

describe('who may connect', () => {
  test('is said by the lists, which may change', () => {
    const { admission, refused } = setting({ deny: ['192.0.2.0/24'] });
    expect(admission.admit('192.0.2.1')).toMatchObject({ silent: true, network: '192.0.2.0/24' });
    expect(admission.admit('192.0.3.1')).toMatchObject({ silent: false, network: '192.0.3.0/24' });
    admission.update({ ...DEFAULT_ADMISSION_SETTINGS, allow: ['192.0.2.0/24'] });
    expect(admission.admit('192.0.3.1')?.silent).toBe(true);
    expect(admission.admit('::ffff:192.0.2.1')).toMatchObject({ silent: false, network: '192.0.2.0/24' });
    expect(refused).toEqual(['address', 'address']);
  });

  test('those who are denied take no place among the connections, and meet the rate of their network as all do', () => {
    const { admission, refused } = setting({ ...RATE, deny: ['192.0.2.0/24'], maxConnections: 3 });
    for (let i = 0; i < 100; i++) admission.admit('192.0.2.1');
    expect(refused.filter((reason) => reason === 'address')).toHaveLength(20);
    expect(refused.filter((reason) => reason === 'attempts')).toHaveLength(80);
    expect([admission.connections, admission.admit('10.0.0.1')?.silent]).toEqual([0, false]);
  });

  test('is not changed by lists that are wrong', () => {
    const { admission } = setting({ deny: ['192.0.2.0/24'] });
    for (const wrong of [{ deny: ['192.0.2.0/40'] }, { exempt: ['x'] }, { allow: ['10.0.0.0/8'], deny: ['10.0.0.0/8'] }])
      expect(() => admission.update({ ...DEFAULT_ADMISSION_SETTINGS, ...wrong })).toThrow(TypeError);
    expect([admission.admits('192.0.2.1'), admission.admits('10.0.0.1')]).toEqual([false, true]);
  });

  test('each source network has its own rate: a flood from one takes nothing from others', () => {
    const { attempts, pass, refused } = setting(RATE);
    expect(attempts('127.11.0.1', 5000)).toBe(20);
    expect(attempts('127.11.0.200', 1)).toBe(0);
    expect(attempts('127.22.0.1', 20)).toBe(20);
    expect(refused).toHaveLength(4981);
    pass(1000);
    expect(attempts('127.11.0.1', 100)).toBe(10);
  });

  test('IPv6 sources are networks of /48, IPv4 inside IPv6 is IPv4', () => {
    const { attempts } = setting(RATE);
    expect(attempts('2001:db8:1:1::1', 20)).toBe(20);
    expect([attempts('2001:db8:1:2::9', 1), attempts('2001:db8:2::1', 1)]).toEqual([0, 1]);
    expect(attempts('10.0.0.1', 20)).toBe(20);
    expect(attempts('::ffff:10.0.0.2', 1)).toBe(0);
  });

  test('open connections of one network have a bound, and all together; who leaves makes room, once', () => {
    const { admission, refused } = setting({ maxConnections: 3, maxConnectionsPerNetwork: 2 });
    const [first, second] = [admission.admit('10.0.0.1'), admission.admit('10.0.0.2')];
    expect(admission.admit('10.0.0.3')).toBeUndefined();
    expect(admission.admit('10.0.1.1')).toBeDefined();
    expect(admission.admit('10.0.2.1')).toBeUndefined();
    expect([admission.connections, refused]).toEqual([3, ['network-connections', 'connections']]);
    first?.left();
    first?.left();
    expect(admission.connections).toBe(2);
    expect(admission.admit('10.0.0.3')).toBeDefined();
    expect(admission.admit('10.0.0.4')).toBeUndefined();
    second?.left();
  });

  test('exempt networks have no limits per network, but are filtered and bounded as all', () => {
    const { admission, attempts } = setting({
      ...RATE,
      exempt: ['127.0.0.0/8'],
      deny: ['127.9.0.0/16'],
      maxConnections: 300,
      maxConnectionsPerNetwork: 5,
    });
    expect(attempts('127.0.0.1', 1000)).toBe(300);
    expect(admission.admit('127.9.0.1')?.silent).toBe(true);
  });

  test('attempts of very many networks are remembered in bounded room', () => {
    const { admission, attempts } = setting(RATE);
    for (let i = 0; i < 20_000; i++) admission.admit(`10.${i >> 8}.${i & 255}.1`)?.left();
    expect(admission.connections).toBe(0);
    expect(attempts('10.78.31.1', 20)).toBe(19);
  });

  test('a transport without a node lets everybody in', () => {
    expect(OPEN_ADMISSION.admit('192.0.2.1')?.network).toBe('192.0.2.0/24');
    expect(sourceNetwork('example.org', { ipv4Bits: 24, ipv6Bits: 48 })).toBe('example.org');
  });
});
