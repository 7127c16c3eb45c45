import { seededRandom } from '@matryoshka/simulation';
import { serveRole } from '../processes/role.ts';
import { drawKills } from './kill-plan.ts';
import { KillingProxy } from './killing-proxy.ts';

// What is between the nodes and breaks.

/** What the role answers to. */
export interface ProxyCommands {
  /** Begins to listen at a port of `host`, which it returns, for connections to `target`. */
  start(host: string, target: { readonly host: string; readonly port: number }, plan: ProxyPlan): Promise<number>;
  /** From here on bytes count and connections are killed. */
  arm(): void;
  /** So many bytes had arrived at their end when the newest connection began to be of use. */
  arrived(bytes: number): void;
  /** Connections that were killed so far. */
  killed(): number;
}

export interface ProxyPlan {
  readonly seed: number;
  readonly kills: number;
  /** Length of the transfer over which they are spread. */
  readonly bytes: number;
}

let proxy: KillingProxy | undefined;

function started(): KillingProxy {
  if (proxy === undefined) throw new Error('not started');
  return proxy;
}

serveRole<ProxyCommands>(
  {
    start(host, target, { seed, kills, bytes }) {
      proxy = new KillingProxy(target, drawKills(seededRandom(seed), kills, bytes), bytes);
      return proxy.listen(host, 0);
    },
    arm: () => started().arm(),
    arrived: (bytes) => started().arrived(bytes),
    killed: () => started().killed,
  },
  () => ({ figures: { kills: proxy?.killed ?? 0 }, text: proxy?.text ?? 'not started' }),
);
