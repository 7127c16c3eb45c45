import type { Link } from '@matryoshka/transport';
import { type Endpoint, MatryoshkaError, formatEndpoint, parseEndpoint } from '@matryoshka/wire';
import { expect, test } from 'vitest';
import { DirectSource } from './direct-source.ts';

const at = parseEndpoint;
const fault = (): MatryoshkaError => new MatryoshkaError('transport.closed');

/** What a source dials, for each reason it is given. */
async function dialled(known: readonly Endpoint[], reasons: readonly (MatryoshkaError | undefined)[]): Promise<string[]> {
  const dials: string[] = [];
  const dial = (to: Endpoint): Promise<Link> => {
    dials.push(formatEndpoint(to));
    return Promise.resolve({} as Link);
  };
  const source = new DirectSource({ dialled: at('192.0.2.1:1'), known: () => known, dial });
  const signal = new AbortController().signal;
  for (const reason of reasons) {
    const attempt = { reason, first: new Uint8Array(1), session: undefined };
    // oxlint-disable-next-line no-await-in-loop
    await source.next(attempt, signal);
  }
  return dials;
}

const PLACES = [at('192.0.2.1:1'), at('ws://192.0.2.1:2'), at('192.0.2.3:3')];

test('a session is opened where it is dialled, and nowhere else', async () => {
  expect(await dialled(PLACES, [undefined])).toEqual(['192.0.2.1:1']);
});

test('after a fault its peer is looked for there first, then at its other places, in turn; and so after the next one', async () => {
  const [one, two] = [fault(), fault()];
  expect(await dialled(PLACES, [undefined, one, one, one, one, two, two])).toEqual([
    '192.0.2.1:1',
    '192.0.2.1:1',
    'ws://192.0.2.1:2',
    '192.0.2.3:3',
    '192.0.2.1:1',
    '192.0.2.1:1',
    'ws://192.0.2.1:2',
  ]);
});

test('where nothing else is known, the same place is dialled again', async () => {
  const one = fault();
  expect(await dialled([], [undefined, one, one])).toEqual(Array.from({ length: 3 }, () => '192.0.2.1:1'));
});
