import type { Session } from '@matryoshka/peer';
import type { Clock, Timer } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';

/** Connections that were made only to serve relay links, and close when idle for a while (R9). */
export class MadeConnections {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #linksOn: (session: Session) => number;
  readonly #timers = new Map<Session, Timer>();

  /**
   * @param idleMs - how long one stays without relay links
   * @param linksOn - relay links on a session
   */
  constructor(clock: Clock, idleMs: number, linksOn: (session: Session) => number) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#linksOn = linksOn;
  }

  add(session: Session): void {
    this.#wait(session);
    void session.closed.then(() => this.keep(session));
  }

  /** The last relay link on `session` has closed: the grace begins anew. */
  idle(session: Session): void {
    if (!this.#timers.has(session)) return;
    this.#timers.get(session)?.cancel();
    this.#wait(session);
  }

  /** Somebody else uses it, too: it does not close by itself any more. */
  keep(session: Session): void {
    this.#timers.get(session)?.cancel();
    this.#timers.delete(session);
  }

  #wait(session: Session): void {
    this.#timers.set(
      session,
      this.#clock.after(this.#idleMs, () => {
        const busy = this.#linksOn(session) > 0 || [...session.streams].length > 0;
        if (busy) {
          this.#wait(session);
          return;
        }
        this.#timers.delete(session);
        session.close(new MatryoshkaError('closed'));
      }),
    );
  }
}
