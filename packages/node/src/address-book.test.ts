import { type PeerId, createIdentity, formatStaticKey, portableProvider } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import { type MatryoshkaError, parseEndpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { AddressBook } from './address-book.ts';

const peer = (seed: number): PeerId => createIdentity(portableProvider, seededRandom(seed)).peerId;
const alice = peer(1);
const bob = peer(2);
const carol = peer(3);
const names: Readonly<Record<string, string>> = { 'bob.example': '198.51.100.2' };
const resolveHost = (host: string): Promise<string> =>
  names[host] === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(names[host]);
const book = new AddressBook([`${alice}@198.51.100.1:999`, `${bob}@bob.example:999`], resolveHost);
const at = parseEndpoint;

const failure = async (promise: Promise<unknown>): Promise<MatryoshkaError> =>
  (await promise.catch((error: unknown) => error)) as MatryoshkaError;

describe('address book', () => {
  test('an endpoint is what it is, with or without a peer id', async () => {
    expect(await book.resolve('203.0.113.5:999')).toEqual({ endpoint: at('203.0.113.5:999') });
    expect(await book.resolve(`${carol}@[2001:db8::1]:999`)).toEqual({ peerId: carol, endpoint: at('[2001:db8::1]:999') });
  });

  test('a peer id leads to where it was configured to be, or is all that is known', async () => {
    expect(await book.resolve(alice)).toEqual({ peerId: alice, endpoint: at('198.51.100.1:999') });
    expect(await book.resolve(carol)).toEqual({ peerId: carol });
  });

  test('R7 host names are resolved here, since only addresses travel', async () => {
    expect(await book.resolve(bob)).toEqual({ peerId: bob, endpoint: at('198.51.100.2:999') });
    expect(await book.resolve(`${carol}@bob.example:5`)).toEqual({ peerId: carol, endpoint: at('198.51.100.2:5') });
  });

  test('a WebSocket is dialled by its name, which its certificate names; elsewhere its address counts', async () => {
    const named = at('wss://bob.example:5');
    expect(await book.resolve(`${carol}@wss://bob.example:5`)).toEqual({ peerId: carol, endpoint: at('wss://198.51.100.2:5'), named });
    const browser = new AddressBook([], undefined);
    expect(await browser.resolve('wss://bob.example:5')).toEqual({ endpoint: named });
  });

  test('a name that does not resolve says so', async () => {
    const error = await failure(book.resolve('nobody.example:999'));
    expect(error.code).toBe('node.peer-unknown');
    expect(error.message).toBe('the host name nobody.example does not resolve: ENOTFOUND');
    const nameless = await failure(new AddressBook([], undefined).resolve('bob.example:1'));
    expect(nameless.message).toContain('host names cannot be resolved on this platform');
  });

  test('a peer at a relay: the endpoint is the relay’s', async () => {
    expect(await book.resolve(`${carol}@${alice}`)).toEqual({ peerId: carol, relay: alice, endpoint: at('198.51.100.1:999') });
    expect(await book.resolve(`${alice}@${carol}`)).toEqual({ peerId: alice, relay: carol });
    expect(await book.resolve(`${alice}@${carol}@203.0.113.5:1`)).toEqual({ peerId: alice, relay: carol, endpoint: at('203.0.113.5:1') });
  });

  test('a static key is named with the peer, or configured with it; the one that is named goes first', async () => {
    const [configured, named] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const hidden = new AddressBook([`${alice}+${formatStaticKey(configured)}@198.51.100.1:999`], resolveHost);
    const here = { peerId: alice, endpoint: at('198.51.100.1:999') };
    expect(await hidden.resolve(alice)).toEqual({ ...here, staticKey: configured });
    expect(await hidden.resolve(`${alice}+${formatStaticKey(named)}`)).toEqual({ ...here, staticKey: named });
    expect(await hidden.resolve(`${alice}@203.0.113.5:1`)).toEqual({ ...here, endpoint: at('203.0.113.5:1'), staticKey: configured });
    expect(await hidden.resolve(`${carol}+${formatStaticKey(named)}@${alice}`)).toMatchObject({
      peerId: carol,
      relay: alice,
      staticKey: named,
    });
    expect(await hidden.peers()).toEqual([{ ...here, staticKey: configured }]);
  });

  test('a peer may be in several places: the first whose name resolves, and the others', async () => {
    const places = ['nobody.example:1', '198.51.100.1:999', 'wss://bob.example:443'];
    const many = new AddressBook(
      places.map((place) => `${alice}@${place}`),
      resolveHost,
    );
    const others = [{ endpoint: at('wss://198.51.100.2:443'), named: at('wss://bob.example:443') }];
    expect(await many.resolve(alice)).toEqual({ peerId: alice, endpoint: at('198.51.100.1:999'), others });
    expect(await many.resolve(`${alice}@203.0.113.5:1`)).toEqual({ peerId: alice, endpoint: at('203.0.113.5:1') });
    expect(many.endpointsOf(alice)).toEqual(places.map(at));
    expect([many.has(alice), many.has(bob), many.endpointsOf(bob)]).toEqual([true, false, []]);
    expect(await many.peers()).toEqual([{ peerId: alice, endpoint: at('198.51.100.1:999'), others }]);
  });

  test('what is no destination, or no peer id, is refused', async () => {
    expect((await failure(book.resolve('nonsense'))).code).toBe('wire.endpoint-syntax');
    const wrong = carol.slice(0, -1) + (carol.endsWith('q') ? 'p' : 'q');
    expect((await failure(book.resolve(wrong))).code).toBe('session.identity-invalid');
  });

  test('the peers known beforehand, without those whose names do not resolve', async () => {
    const some = new AddressBook([`${alice}@198.51.100.1:999`, `${bob}@bob.example:999`, `${carol}@nobody.example:999`], resolveHost);
    expect(await some.peers()).toEqual([
      { peerId: alice, endpoint: at('198.51.100.1:999') },
      { peerId: bob, endpoint: at('198.51.100.2:999') },
    ]);
    expect(some.endpointsOf(carol)).toEqual([at('nobody.example:999')]);
  });
});
