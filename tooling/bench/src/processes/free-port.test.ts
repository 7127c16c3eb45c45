import { expect, test } from 'vitest';
import { freePort } from './free-port.ts';

const HOST = '192.0.2.1';

test('no port is given out twice, and none that outgoing connections could have', async () => {
  const ports = await Promise.all(Array.from({ length: 1000 }, () => freePort(HOST, () => Promise.resolve(true))));
  expect(new Set(ports).size).toBe(ports.length);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(port).toBeLessThan(32_768);
  }
});

test('a port that somebody has is passed over', async () => {
  const asked: number[] = [];
  const port = await freePort(HOST, (_, candidate) => Promise.resolve(asked.push(candidate) > 3));
  expect(asked).toHaveLength(4);
  expect(port).toBe(asked[3]);
});

test('a host without any is refused', async () => {
  await expect(freePort(HOST, () => Promise.resolve(false))).rejects.toThrow(`no free port at ${HOST}`);
});
