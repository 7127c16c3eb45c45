import { describe, expect, test } from 'vitest';
import { DemoError } from '../demo-error.ts';
import type { Member, Network } from '../network.ts';
import { demoRoutes } from './demo-routes.ts';
import { RelayKeeper } from './relay-keeper.ts';

/** A network of B, which relays, and D, which does not; processes are promises here. */
class FakeNetwork {
  readonly log: string[] = [];
  readonly ends = new Map<string, () => void>();
  readonly #members = new Map<string, Member>();
  readonly #failures: number;

  /** @param failures - so many times nobody comes up again */
  constructor(failures = 0) {
    this.#failures = failures;
    for (const name of ['B', 'D']) this.#start(name);
  }

  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  member(name: string): Member {
    return this.#members.get(name) as Member;
  }

  restart(name: string): Promise<void> {
    this.log.push(`restart ${name}`);
    if (this.log.filter((line) => line.startsWith('restart')).length <= this.#failures) return Promise.reject(new Error('no room'));
    this.#start(name);
    return Promise.resolve();
  }

  #start(name: string): void {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ends.set(name, () => resolve(1));
    const process = {
      exited: promise,
      kill: () => resolve(9),
      endedEarly: () => new DemoError(`the process of ${name} ended with code 1`),
    };
    const role = { name, meshed: name === 'B' };
    this.#members.set(name, { role, process, peerId: `peer ${name}`, endpoint: `${name}:1`, address: '' } as unknown as Member);
  }
}

/** The keeper of a network, and what it tells; `told` waits for a line. */
function keep(network: FakeNetwork, signal: AbortSignal = new AbortController().signal) {
  const { log } = network;
  const waiting: (() => void)[] = [];
  const tell = (line: string): void => {
    log.push(line);
    for (const wake of waiting.splice(0)) wake();
  };
  const keeper = new RelayKeeper(
    network as unknown as Network,
    0,
    {
      killed: (name) => tell(`killed ${name}`),
      ended: (why) => tell(why),
      revived: (name) => tell(`revived ${name}`),
      notRevived: (name, error) => tell(`not revived ${name}: ${(error as Error).message}`),
    },
    signal,
  );
  const told = async (line: string): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop
    while (!log.includes(line)) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { keeper, told };
}

describe('the keeper of relays', () => {
  test('kills one, says so, and starts it again', async () => {
    const network = new FakeNetwork();
    const { keeper, told } = keep(network);
    expect(keeper.relays).toEqual([{ name: 'B', peerId: 'peer B', endpoint: 'B:1', state: 'running' }]);
    expect([keeper.kill('peer B'), keeper.kill('peer B')], 'twice is once').toEqual([true, true]);
    expect(keeper.relays[0]?.state).toBe('down');
    await told('revived B');
    expect(keeper.relays[0]?.state).toBe('running');
    expect(network.log).toEqual(['killed B', 'restart B', 'revived B']);
    keeper.kill('peer B');
    expect(keeper.relays[0]?.state, 'the new process, too').toBe('down');
  });

  test('starts again whatever ended by itself, as often as it takes', async () => {
    const network = new FakeNetwork(2);
    const { told } = keep(network);
    network.ends.get('D')?.();
    await told('revived D');
    expect(network.log).toEqual([
      'the process of D ended with code 1',
      ...['restart D', 'not revived D: no room'],
      ...['restart D', 'not revived D: no room'],
      ...['restart D', 'revived D'],
    ]);
  });

  test('starts nobody once all of it ends', async () => {
    const network = new FakeNetwork();
    const controller = new AbortController();
    const { keeper } = keep(network, controller.signal);
    controller.abort();
    keeper.kill('peer B');
    await network.member('B').process.exited;
    await Promise.resolve();
    expect(network.log).toEqual([]);
  });

  test('kills relays only: others are unknown to the control API', () => {
    const { keeper } = keep(new FakeNetwork());
    const kill = demoRoutes(keeper).find(({ path }) => path === '/demo/kill');
    for (const peerId of ['peer D', 'peer X'])
      expect(() => kill?.handle({ body: { peerId } } as never)).toThrow(
        expect.objectContaining({ status: 404, code: 'demo.unknown-relay' }),
      );
    expect(keeper.relays[0]?.state).toBe('running');
  });
});
