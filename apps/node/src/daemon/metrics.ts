import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { VERSION } from '../version.ts';
import type { Daemon } from './daemon.ts';
import type { NumberedEvent } from './event-log.ts';

/** What is counted of events, by name: how often each happened. */
const COUNTED: ReadonlySet<string> = new Set([
  'connection',
  'suspended',
  'resumed',
  'path-changed',
  'disconnected',
  'peer-failed',
  'relay-requested',
  'relay-opened',
  'relay-closed',
  'relay-accepted',
  'received',
  'receive-failed',
]);

/** How often the delay of the event loop is looked at, in milliseconds: the default of 10 wakes a node that does nothing. */
const LAG_RESOLUTION_MS = 100;

/** Metrics for Prometheus. No label names a peer or an address: whoever reads them learns how much there is, not of whom. */
export class Metrics {
  readonly #registry = new Registry();

  constructor(daemon: Daemon) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LAG_RESOLUTION_MS });
    new Gauge({ name: 'matryoshka_info', help: 'Version of the node.', labelNames: ['version'], registers }).set({ version: VERSION }, 1);
    gauge(this.#registry, 'matryoshka_connections', 'Connections.', ['kind', 'state'], (set) => {
      for (const { kind, state } of daemon.node.connections) set({ kind, state });
    });
    gauge(this.#registry, 'matryoshka_relay_links', 'Relay links that are forwarded for others.', ['state'], (set) => {
      for (const { state } of daemon.node.status().relayLinks) set({ state });
    });
    gauge(this.#registry, 'matryoshka_relay_memory_bytes', 'Memory for relayed bytes, taken and in all.', ['which'], (set) => {
      const { takenBytes, totalBytes } = daemon.node.status().relayMemory;
      set({ which: 'taken' }, takenBytes);
      set({ which: 'total' }, totalBytes);
    });
    new Counter({
      name: 'matryoshka_refusals_total',
      help: 'How often somebody was turned away, by reason.',
      labelNames: ['reason'],
      registers,
      collect() {
        this.reset();
        for (const [reason, count] of Object.entries(daemon.node.access().refusals)) this.inc({ reason }, count);
      },
    });
    gauge(this.#registry, 'matryoshka_start_time_seconds', 'When the daemon was started, in seconds since 1970.', [], (set) =>
      set({}, daemon.startedAtMs / 1000),
    );
    const events = new Counter({
      name: 'matryoshka_events_total',
      help: 'How often each of it happened.',
      labelNames: ['event'],
      registers,
    });
    daemon.events.listen(({ event }: NumberedEvent) => {
      if ('event' in event && COUNTED.has(event.event)) events.inc({ event: event.event });
    });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** A gauge that is asked for when somebody looks; what is not told any more is 0. */
function gauge<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[],
  collect: (set: (labels: Partial<Record<Label, string>>, value?: number) => void) => void,
): void {
  new Gauge<Label>({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      collect((labels, value = 1) => this.inc(labels, value));
    },
  });
}
