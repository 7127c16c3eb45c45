import { randomBytes } from '@matryoshka/session';
import { describe, expect, test } from 'vitest';
import { SystemRandom } from './system-random.ts';

/** Counts up instead of drawing, so that each byte says which it was; notes how much was asked for. */
function counting(): { readonly random: SystemRandom; readonly asked: number[]; readonly handed: Uint8Array[] } {
  const [asked, handed]: [number[], Uint8Array[]] = [[], []];
  let next = 0;
  const random = new SystemRandom((bytes) => {
    asked.push(bytes.length);
    handed.push(bytes);
    for (let i = 0; i < bytes.length; i++) bytes[i] = 1 + (next++ % 255);
  });
  return { random, asked, handed };
}

describe('the randomness of the platform', () => {
  test('is asked once for many short draws, which get different bytes of it', () => {
    const { random, asked } = counting();
    const drawn = Array.from({ length: 64 }, () => [...randomBytes(random, 8)]);
    expect(asked).toEqual([512]);
    expect(drawn.flat()).toEqual(Array.from({ length: 512 }, (_, i) => 1 + (i % 255)));
    randomBytes(random, 1);
    expect(asked).toEqual([512, 512]);
  });

  test('is asked anew where what is left is too short', () => {
    const { random, asked } = counting();
    for (let i = 0; i < 32; i++) randomBytes(random, 15);
    expect(asked).toEqual([512]);
    for (let i = 0; i < 3; i++) randomBytes(random, 16);
    expect(asked).toEqual([512, 512]);
  });

  test('what was handed out is overwritten', () => {
    const { random, handed } = counting();
    randomBytes(random, 16);
    expect([...(handed[0] as Uint8Array).subarray(0, 17)]).toEqual([...Array<number>(16).fill(0), 17]);
  });

  test('is asked for each key by itself, and nothing of it is kept', () => {
    const { random, asked, handed } = counting();
    randomBytes(random, 4);
    const key = randomBytes(random, 32);
    expect(asked).toEqual([512, 32]);
    expect(handed[1]).toBe(key);
  });

  test('fills with the platform’s own by default', () => {
    const random = new SystemRandom();
    expect(new Set(Array.from({ length: 100 }, () => randomBytes(random, 16).join())).size).toBe(100);
    expect(randomBytes(random, 64)).not.toEqual(randomBytes(random, 64));
  });
});
