import { type Duplex, duplexPair } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { splice } from './splice.ts';

/** All that comes until the end; the other direction stays as it is. */
function contents(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream
      .setEncoding('utf8')
      .on('data', (piece: string) => (text += piece))
      .on('end', () => resolve(text))
      .on('error', reject);
  });
}

describe('splicing two streams', () => {
  test('bytes go both ways, and the end of one direction leaves the other open', async () => {
    const [alice, near] = duplexPair();
    const [far, bob] = duplexPair();
    const over = splice(near, far);
    alice.end('question');
    expect(await contents(bob)).toBe('question');
    bob.end('answer');
    expect(await contents(alice)).toBe('answer');
    await over;
  });

  test('a failure of one side destroys the other, and is what it ended with', async () => {
    const [, near] = duplexPair();
    const [far, bob] = duplexPair();
    bob.on('error', () => {});
    const over = splice(near, far);
    near.destroy(new Error('cable pulled'));
    await expect(over).rejects.toThrow('cable pulled');
    expect(far.destroyed).toBe(true);
  });
});
