import type { Session } from '@matryoshka/peer';
import type { PeerId, Random, VerifiedDescriptor } from '@matryoshka/session';
import { MatryoshkaError, asMatryoshkaError } from '@matryoshka/wire';
import { Circuit, type CircuitHost, type Hop, extendFailed } from '../circuit.ts';
import type { Directory } from '../directory/directory.ts';
import type { EntryGuards } from '../policy/entry-guards.ts';
import type { Measurements } from '../policy/measurements.ts';
import type { PairFailures } from '../policy/pair-failures.ts';
import type { CircuitRequest, PathPolicy } from '../policy/path-policy.ts';
import type { BuildTimeouts } from './build-timeouts.ts';

/** So many paths are tried for one circuit. */
const MAX_ATTEMPTS = 6;
/** An attempt is given up after so many times the learnt timeout: until then it may still be the one that is used. */
const GIVE_UP_FACTOR = 2;

/** What a factory works with; the node hands it in. */
export interface CircuitFactoryParts {
  /** Opens relay links and sessions. */
  readonly host: CircuitHost;
  /** Chooses among paths. */
  readonly random: Random;
  /** Where relays are chosen from. */
  readonly directory: Directory;
  /** How they are chosen. */
  readonly policy: PathPolicy;
  /** What failed between two hops: makes both rarer. */
  readonly failures: PairFailures;
  /** What relays were seen to carry. */
  readonly measurements: Measurements;
  /** How long a build may take, learnt from those before. */
  readonly timeouts: BuildTimeouts;
  /** First hops that are kept; without them any first hop is as good as another. */
  readonly guards?: EntryGuards;
  /** Attempts that may run side by side, 1 or 2. */
  readonly parallel: 1 | 2;
  /** The connection to a first hop: the one there is, or a new one. */
  connectFirst(hop: Hop, signal: AbortSignal): Promise<Session>;
}

/** What became of one attempt. */
type Outcome = { readonly circuit: Circuit } | { readonly error: MatryoshkaError };

/**
 * Builds circuits over paths that a policy chooses. A build that takes longer than most is not given up: another one is begun
 * beside it, and the first to be ready is used. What fails is remembered of the pair of hops that it failed between, so
 * that the next path avoids it.
 *
 * | state of an attempt | on | next |
 * |---|---|---|
 * | *connecting* | the first hop is connected | *extending* |
 * | *connecting* | failed | its guard rests, the pair of this node and it is weighted down; the next attempt |
 * | *extending* | the last hop was added | *built*; the other attempt is given up |
 * | *extending* | a hop failed | that pair is weighted down; the next attempt |
 * | *connecting*, *extending* | the learnt timeout is over | the next attempt begins, if it may beside this one |
 * | *connecting*, *extending* | twice the timeout is over | as failed at the hop that was to be added |
 */
export class CircuitFactory {
  readonly #parts: CircuitFactoryParts;

  constructor(parts: CircuitFactoryParts) {
    this.#parts = parts;
  }

  /**
   * Builds a circuit.
   * @param instead - of what the factory was made with
   * @throws MatryoshkaError `circuit.no-path`; `circuit.extend-failed`, `circuit.build-timeout` of the last attempt; `aborted`
   */
  async build(
    request: CircuitRequest,
    signal: AbortSignal,
    instead: { readonly policy?: PathPolicy | undefined; readonly parallel?: 1 | 2 | undefined } = {},
  ): Promise<Circuit> {
    const { host, timeouts } = this.#parts;
    const { parallel = this.#parts.parallel, policy = this.#parts.policy } = instead;
    const { clock } = host;
    const running = new Map<AbortController, Promise<Outcome & { readonly controller: AbortController }>>();
    let last: MatryoshkaError | undefined;
    let attempts = 0;
    const begin = (): void => {
      attempts++;
      const controller = new AbortController();
      running.set(
        controller,
        this.#attempt(request, policy, controller, signal).then(
          (circuit) => ({ circuit, controller }),
          (error: unknown) => ({ error: asMatryoshkaError(error, 'bug'), controller }),
        ),
      );
    };
    try {
      for (;;) {
        if (signal.aborted) throw new MatryoshkaError('aborted', undefined, { cause: signal.reason });
        if (running.size === 0) {
          if (attempts === MAX_ATTEMPTS) throw last as MatryoshkaError;
          begin();
        }
        const slow = Promise.withResolvers<undefined>();
        const timer = clock.after(timeouts.timeoutMs(request.relays), () => slow.resolve(undefined));
        // One after the other: each round waits for the first thing that happens.
        // oxlint-disable-next-line no-await-in-loop
        const outcome = await Promise.race([
          ...running.values(),
          ...(running.size < parallel && attempts < MAX_ATTEMPTS ? [slow.promise] : []),
        ]);
        timer.cancel();
        if (outcome === undefined) {
          begin();
          continue;
        }
        running.delete(outcome.controller);
        if ('circuit' in outcome) return outcome.circuit;
        // There is no use in trying again; but what failed before says why there is nobody left.
        if (outcome.error.code === 'circuit.no-path') throw last ?? outcome.error;
        last = outcome.error;
      }
    } finally {
      for (const [controller, late] of running) {
        controller.abort();
        void late.then((outcome) => 'circuit' in outcome && outcome.circuit.close());
      }
    }
  }

  /** One path. */
  async #attempt(request: CircuitRequest, policy: PathPolicy, controller: AbortController, outer: AbortSignal): Promise<Circuit> {
    const { directory, host, random, timeouts } = this.#parts;
    const path = policy.selectPath(request, directory.list(), random);
    const hops = path.map((descriptor, index) => hopOf(descriptor, index === 0 ? request : undefined));
    const limitMs = GIVE_UP_FACTOR * timeouts.timeoutMs(request.relays);
    let timedOut = false;
    const timer = host.clock.after(limitMs, () => {
      timedOut = true;
      controller.abort();
    });
    const signal = AbortSignal.any([controller.signal, outer]);
    let at: { readonly from: PeerId | undefined; readonly to: Hop } = { from: undefined, to: hops[0] as Hop };
    try {
      return await this.#build(hops, signal, (from, to) => (at = { from, to }));
    } catch (error) {
      // Given up by us: nobody has failed.
      if (signal.aborted && !timedOut) throw error;
      this.#parts.failures.failed(at.from, at.to.peerId);
      if (at.from === undefined) this.#parts.guards?.failed(at.to.peerId);
      if (!timedOut) throw error;
      timeouts.gaveUp();
      throw new MatryoshkaError('circuit.build-timeout', `hop ${hops.indexOf(at.to) + 1} was not added within ${Math.round(limitMs)} ms`, {
        cause: error,
      });
    } finally {
      timer.cancel();
    }
  }

  async #build(hops: readonly Hop[], signal: AbortSignal, now: (from: PeerId | undefined, to: Hop) => void): Promise<Circuit> {
    const { failures, guards, host, measurements, timeouts } = this.#parts;
    const [first, ...rest] = hops as [Hop, ...Hop[]];
    const session = await this.#parts.connectFirst(first, signal).catch((error: unknown) => {
      throw extendFailed(error, 1, first.endpoint, signal);
    });
    guards?.succeeded(first.peerId);
    const circuit = new Circuit(host, { ...first, session });
    const startedMs = host.clock.now();
    let [previous, beforeMs] = [first.peerId, 0];
    try {
      for (const hop of rest) {
        now(previous, hop);
        // oxlint-disable-next-line no-await-in-loop -- each is reached through the one before
        const { handshakeMs = 0 } = await circuit.extend(hop, { signal });
        failures.succeeded(previous, hop.peerId);
        measurements.roundTrip(hop.peerId, previous, Math.max(0, handshakeMs - beforeMs));
        [previous, beforeMs] = [hop.peerId, handshakeMs];
      }
    } catch (error) {
      circuit.close();
      throw error;
    }
    timeouts.built(rest.length, host.clock.now() - startedMs);
    return circuit;
  }
}

/** A hop as its descriptor says: over TCP where that is possible, which every node has. */
function hopOf({ peerId, body }: VerifiedDescriptor, dialler: CircuitRequest | undefined): Hop {
  const possible = dialler === undefined ? body.endpoints : body.endpoints.filter((endpoint) => dialler.canDial(endpoint));
  const endpoint = possible.find(({ transport }) => transport === 'tcp') ?? possible[0];
  if (endpoint === undefined) throw new MatryoshkaError('circuit.no-path', `the descriptor of ${peerId} has no endpoint that can be used`);
  return { peerId, endpoint, staticKey: body.staticKey };
}
