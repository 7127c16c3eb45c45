import { createHash } from 'node:crypto';
import { MatryoshkaError, type Stream } from '@matryoshka/node';
import { describe, expect, test } from 'vitest';
import { Content } from './content.ts';
import { Exchange, type SidePlan } from './exchange.ts';

const LENGTH = 100_000;
const plan: SidePlan = {
  sends: { content: 'mine', bytes: LENGTH },
  receives: { content: 'yours', bytes: LENGTH },
  seed: 1,
  pauseChance: 0,
};

/** What an exchange does to its stream, which takes everything. */
class StubStream {
  readonly written: Uint8Array[] = [];
  closed = false;
  ended = false;
  pendingBytes = 0;
  attach(): void {}
  write(bytes: Uint8Array): boolean {
    this.written.push(bytes.slice());
    return true;
  }
  end(): void {
    this.ended = true;
  }
}

function begin(): { readonly exchange: Exchange; readonly stream: StubStream; readonly yours: Uint8Array } {
  const exchange = new Exchange(plan);
  const stream = new StubStream();
  exchange.start(stream as unknown as Stream);
  return { exchange, stream, yours: new Content('yours').take(LENGTH) };
}

describe('an exchange', () => {
  test('writes its content in pieces of all sizes, and finds nothing wrong with what is right', async () => {
    const { exchange, stream, yours } = begin();
    expect(stream.ended).toBe(true);
    expect(stream.written.length).toBeGreaterThan(3);
    const mine = Buffer.concat(stream.written);
    expect(mine.equals(new Content('mine').take(LENGTH))).toBe(true);
    exchange.data(yours.subarray(0, 60_000));
    exchange.data(yours.subarray(60_000));
    exchange.end();
    exchange.closed(undefined);
    const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    expect(await exchange.done).toMatchObject({
      sentBytes: LENGTH,
      receivedBytes: LENGTH,
      sentSha256: sha256(mine),
      receivedSha256: sha256(yours),
      faults: [],
    });
  });

  test.each<readonly [string, (exchange: Exchange, yours: Uint8Array) => void, RegExp]>([
    ['a changed byte', (exchange, yours) => exchange.data(yours.with(777, (yours[777] as number) ^ 1)), /^byte 777 is not what was sent$/],
    [
      'a lost one',
      (exchange, yours) => {
        exchange.data(yours.subarray(0, 500));
        exchange.data(yours.subarray(501));
      },
      /^byte 50\d is not what was sent$/,
    ],
    [
      'repeated ones',
      (exchange, yours) => {
        exchange.data(yours.subarray(0, 500));
        exchange.data(yours.subarray(400));
      },
      /^byte 50\d is not what was sent$/,
    ],
    [
      'too many',
      (exchange) => {
        const all = new Content('yours');
        exchange.data(all.take(LENGTH));
        exchange.data(all.take(1));
      },
      /^more came than the 100000 bytes there are$/,
    ],
    [
      'an early end',
      (exchange, yours) => {
        exchange.data(yours.subarray(1));
        exchange.end();
      },
      /^byte \d is not/,
    ],
    ['an end without anything', (exchange) => exchange.end(), /^the end came after 0 of 100000 bytes$/],
    ['an error', (exchange) => exchange.closed(new MatryoshkaError('session.link-lost', 'gone')), /failed with session.link-lost: gone$/],
    ['a close before the end', (exchange) => exchange.closed(undefined), /closed before the end came$/],
    ['no stream at all', (exchange) => exchange.fail(new Error('refused')), /no stream: refused$/],
  ])('tells of %s', async (what, happen, fault) => {
    const { exchange, yours } = begin();
    happen(exchange, yours);
    if (!['an error', 'a close before the end', 'no stream at all'].includes(what)) exchange.closed(undefined);
    const { faults } = await exchange.done;
    expect(faults).toEqual([expect.stringMatching(fault) as string]);
  });
});
