import type { Connection } from '@matryoshka/node';
import type { TimedEvent } from '../../events.ts';
import { type Names, ORIGINATOR } from '../cast.ts';
import { messageOf } from '../demo-error.ts';
import { PauseWatch } from './pause-watch.ts';

/** A pause is told of when it has lasted so long, in milliseconds: most are over before. */
export const TELL_AFTER_MS = 5_000;

export interface ConversationParts {
  /** `relayed` or `telescoped`, for people. */
  readonly kind: string;
  readonly destination: string;
  readonly names: Pick<Names, 'ofPeer'>;
  readonly say: (line: string) => void;
}

/** What is told of A's background traffic with one destination, when its connection changes. */
export class Conversation {
  readonly #parts: ConversationParts;
  #connection: Pick<Connection, 'id' | 'hops'> | undefined;
  #pauses = new PauseWatch(performance.now());
  /** First relay, where A was told of it. */
  #gateway: string | undefined;
  #lostAtMs: number | undefined;
  /** Runs from one message to the next. */
  #silence: NodeJS.Timeout | undefined;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  connected(connection: Pick<Connection, 'id' | 'hops'>): void {
    this.#connection = connection;
    this.#pauses = new PauseWatch(performance.now());
    this.#gateway = undefined;
    const again = this.#lostAtMs === undefined ? '' : ` again, after ${seconds(performance.now() - this.#lostAtMs)}`;
    this.#lostAtMs = undefined;
    this.#say(`is there${again}${this.#path()}`);
    this.#listenForSilence();
  }

  /** A message has come back. */
  message(): void {
    this.#listenForSilence();
    const pauseMs = this.#pauses.arrived(performance.now());
    if (pauseMs !== undefined) this.#say(`goes on over another path${this.#path()}; longest pause ${Math.round(pauseMs)} ms`);
  }

  /** The connection is over, or was not made; it is tried again. */
  lost(error: unknown): void {
    this.end();
    this.#connection = undefined;
    // Once, and not for each attempt.
    if (this.#lostAtMs !== undefined) return;
    this.#lostAtMs = performance.now();
    this.#say(`is over: ${messageOf(error)}; it is made again as soon as there is a way`);
  }

  /** Hears what happens to A. */
  hear(event: TimedEvent): void {
    if (!('event' in event) || !('connection' in event) || event.connection.id !== this.#connection?.id) return;
    if (event.event === 'suspended') {
      this.#pauses.interrupted();
    } else if (event.event === 'path-changed') {
      this.#gateway = event.gateway ?? undefined;
      this.#pauses.changed();
    } else if (event.event === 'resumed') {
      this.#pauses.changed();
    }
  }

  /** Nothing more is told by itself. */
  end(): void {
    clearTimeout(this.#silence);
  }

  #listenForSilence(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(
      () => this.#say(`has been silent for ${seconds(TELL_AFTER_MS)}: there is no way yet, and it waits for relays to be back`),
      TELL_AFTER_MS,
    );
  }

  /** What A knows of the path: all hops of its own circuit, and of a relayed connection the first one. */
  #path(): string {
    const { names, destination } = this.#parts;
    const hops = this.#connection?.hops;
    const known = hops?.map(({ peerId }) => names.ofPeer(peerId)) ?? (this.#gateway && [names.ofPeer(this.#gateway), '…', destination]);
    return known === undefined || known === '' ? '' : `: ${[ORIGINATOR.name, ...known].join(' > ')}`;
  }

  #say(text: string): void {
    const { kind, destination } = this.#parts;
    this.#parts.say(`${ORIGINATOR.name}'s ${kind} connection to ${destination} ${text}`);
  }
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(0)} s`;
}
