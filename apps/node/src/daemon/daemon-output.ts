import type { CliEvent } from '../events.ts';
import { Output } from '../output.ts';
import type { Progress } from '../progress.ts';
import type { EventLog } from './event-log.ts';
import { logEvent } from './log-event.ts';
import type { Logger } from './logger.ts';

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

  /** Several transfers at once have no bar; `status` tells. */
  override progress(): Progress {
    return { update: () => {}, stop: () => {} };
  }
}
