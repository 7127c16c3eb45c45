import type { CliEvent } from '../events.ts';
import { Output } from '../output.ts';
import type { Progress } from '../progress.ts';
import type { EventLog } from './event-log.ts';
import { logEvent } from './log-event.ts';
import type { Logger } from './logger.ts';

/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 200;

/** Where a daemon speaks: events to those who listen, and to its log what says nothing of others. */
export class DaemonOutput extends Output {
  readonly #events: EventLog;
  readonly #logger: Logger;

  /** @param json - also writes events to standard output, for the program that started it */
  constructor(json: boolean, events: EventLog, logger: Logger) {
    super(json);
    this.#events = events;
    this.#logger = logger;
  }

  override event(event: CliEvent): void {
    if (this.json) super.event(event);
    if (!('event' in event)) return;
    this.#events.publish(event);
    logEvent(this.#logger, event);
  }

  /** What names others is for debugging only. */
  override note(line: string): void {
    this.#logger.debug(line);
  }

  override complain(line: string, hint?: string): void {
    this.#logger.warn(hint === undefined ? {} : { hint }, line);
  }

  /** Those who listen hear of it; nothing of it is kept. */
  override progress(label: string, total: number): Progress {
    let toldMs = 0;
    return {
      update: (bytes) => {
        const now = performance.now();
        if (now - toldMs < PROGRESS_INTERVAL_MS) return;
        toldMs = now;
        this.#events.publish({ event: 'progress', label, bytes, size: total }, { keep: false });
      },
      stop: () => {},
    };
  }
}
