import { type ReadonlySignal, type Signal, batch, computed, signal } from '@preact/signals';
import { ApiClient, ApiError } from '../api/client.ts';
import type { ApiDocument, Demo, NumberedEvent, Status } from '../api/types.ts';
import { countersOf } from '../model/counters.ts';
import { RateMeter } from '../model/rates.ts';
import { backoffMs, delay } from './backoff.ts';

/** How often the node is looked at, in milliseconds. */
const LOOK_INTERVAL_MS = 1_000;
/** Events that are kept for whoever reads them. */
const MAX_EVENTS = 1_000;

/** How the page stands with its node. */
export type Standing =
  | { readonly kind: 'no-token' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** It does not answer; the next attempt is at that time, in milliseconds since 1970. */
  | { readonly kind: 'lost'; readonly why: string; readonly retryAtMs: number }
  /** It answers, and does not take the token. */
  | { readonly kind: 'refused'; readonly why: string; readonly wasLive: boolean };

/** An event, with a key that is unique over several runs of the node. */
export interface LoggedEvent extends NumberedEvent {
  readonly key: string;
}

/** What the node tells, kept up to date for as long as it answers. */
export class Live {
  readonly #standing: Signal<Standing> = signal<Standing>({ kind: 'no-token' });
  readonly #status: Signal<Status | undefined> = signal<Status | undefined>(undefined);
  readonly #demo: Signal<Demo | undefined> = signal<Demo | undefined>(undefined);
  readonly #events: Signal<readonly LoggedEvent[]> = signal<readonly LoggedEvent[]>([]);
  /** Changes with each look; what rates are shown by. */
  readonly #look: Signal<number> = signal(0);
  readonly standing: ReadonlySignal<Standing> = computed(() => this.#standing.value);
  readonly status: ReadonlySignal<Status | undefined> = computed(() => this.#status.value);
  readonly demo: ReadonlySignal<Demo | undefined> = computed(() => this.#demo.value);
  readonly events: ReadonlySignal<readonly LoggedEvent[]> = computed(() => this.#events.value);
  readonly look: ReadonlySignal<number> = computed(() => this.#look.value);
  readonly meter: RateMeter = new RateMeter();
  #client: ApiClient | undefined;
  #running = new AbortController();
  #listening = new AbortController();
  #retryNow = (): void => {};
  /** Which run of the node the events are of. */
  #run = '';
  #isDemo: boolean | undefined;

  /** Asks the node with this token from now on. */
  start(token: string): void {
    this.#running.abort();
    this.#running = new AbortController();
    this.#client = new ApiClient(token);
    this.#isDemo = undefined;
    this.#standing.value = { kind: 'connecting' };
    void this.#watch(this.#client, this.#running.signal);
  }

  /** Does not wait for the next attempt. */
  retry(): void {
    this.#retryNow();
  }

  /** @throws as `ApiClient.get` */
  get<T>(path: string, signal: AbortSignal): Promise<T> {
    return this.#asked().get<T>(path, signal);
  }

  /** @throws as `ApiClient.post` */
  post(path: string, body: object): Promise<void> {
    return this.#asked().post(path, body);
  }

  #asked(): ApiClient {
    if (this.#client === undefined) throw new TypeError('there is no token yet');
    return this.#client;
  }

  async #watch(client: ApiClient, ended: AbortSignal): Promise<void> {
    let failures = 0;
    let wasLive = false;
    /* oxlint-disable no-await-in-loop */
    while (!ended.aborted) {
      try {
        const status = await client.get<Status>('/v1/status', ended);
        const demo = await this.#askDemo(client, ended);
        this.#take(status, demo);
        if (!wasLive || failures > 0) this.#listenAnew(client, ended);
        [failures, wasLive] = [0, true];
        await Promise.all([delay(LOOK_INTERVAL_MS, ended), seen(ended)]);
      } catch (error) {
        if (ended.aborted) return;
        if (error instanceof ApiError && error.status === 401) {
          this.#standing.value = { kind: 'refused', why: error.message, wasLive };
          return;
        }
        const waitMs = backoffMs(failures++);
        this.#standing.value = { kind: 'lost', why: reasonOf(error), retryAtMs: Date.now() + waitMs };
        await this.#pause(waitMs, ended);
      }
    }
    /* oxlint-enable no-await-in-loop */
  }

  #take(status: Status, demo: Demo | undefined): void {
    batch(() => {
      const run = `${status.pid}-${status.startedAtMs}`;
      if (run !== this.#run) {
        this.#run = run;
        this.#events.value = [];
      }
      this.meter.update(status.atMs, countersOf(status.node));
      this.#status.value = status;
      this.#demo.value = demo;
      this.#look.value++;
      if (this.#standing.value.kind !== 'live') this.#standing.value = { kind: 'live' };
    });
  }

  /** What is no demo does not become one; its API says which it is. */
  async #askDemo(client: ApiClient, ended: AbortSignal): Promise<Demo | undefined> {
    this.#isDemo ??= '/demo' in (await client.get<ApiDocument>('/openapi.json', ended)).paths;
    return this.#isDemo ? client.get<Demo>('/demo', ended) : undefined;
  }

  #listenAnew(client: ApiClient, ended: AbortSignal): void {
    this.#listening.abort();
    this.#listening = new AbortController();
    void this.#listen(client, AbortSignal.any([ended, this.#listening.signal]));
  }

  /** Reads events until the node does not answer any more, which whoever looks at its status finds out. */
  async #listen(client: ApiClient, ended: AbortSignal): Promise<void> {
    const run = this.#run;
    /* oxlint-disable no-await-in-loop */
    while (!ended.aborted && run === this.#run) {
      try {
        const known = this.#events.value.at(-1)?.number ?? 0;
        for await (const { number, event } of client.events(known, ended)) {
          if (ended.aborted || run !== this.#run) return;
          this.#log({ number, event, key: `${run}-${number}` });
        }
      } catch (error) {
        // Its end is no news; where the node is gone, the next look says so.
        if (!(error instanceof TypeError || error instanceof ApiError || ended.aborted)) throw error;
      }
      await delay(LOOK_INTERVAL_MS, ended).catch(() => {});
    }
    /* oxlint-enable no-await-in-loop */
  }

  #log(event: LoggedEvent): void {
    this.#events.value = [...this.#events.value, event].slice(-MAX_EVENTS);
  }

  #pause(waitMs: number, ended: AbortSignal): Promise<void> {
    const early = new AbortController();
    this.#retryNow = () => early.abort();
    return delay(waitMs, AbortSignal.any([ended, early.signal])).catch(() => {});
  }
}

/** Resolves once somebody looks at the page. */
function seen(ended: AbortSignal): Promise<void> {
  if (document.visibilityState === 'visible') return Promise.resolve();
  return new Promise((resolve) => {
    const options = { once: true, signal: ended };
    document.addEventListener('visibilitychange', () => resolve(), options);
    ended.addEventListener('abort', () => resolve(), { once: true });
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'it has not answered in time';
  return 'nothing answers there';
}
