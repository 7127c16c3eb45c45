import * as z from 'zod';
import type { EventLog } from '../../daemon/event-log.ts';
import { type Route, type ServerEvent, route } from '../route.ts';
import { eventShape } from '../shapes.ts';

/** What happens, as it happens. */
export const EVENT_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/events',
    name: 'events',
    summary: 'What happens, as it happens; Last-Event-ID, or `after`, goes on where a reader was',
    query: z.object({ after: z.coerce.number<string>('must be the number of an event').int().min(0).optional() }),
    answer: { type: 'events', schema: eventShape },
    handle: ({ daemon, query, message, signal }) => {
      const last = message.headers['last-event-id'];
      const after = query.after ?? (/^\d+$/.test(String(last)) ? Number(last) : undefined);
      return numbered(daemon.events, after, signal);
    },
  }),
];

async function* numbered(events: EventLog, after: number | undefined, signal: AbortSignal): AsyncGenerator<ServerEvent, void> {
  for await (const { number, event } of events.read(after, signal))
    yield { id: number, event: 'event' in event ? event.event : 'error', data: event };
}
