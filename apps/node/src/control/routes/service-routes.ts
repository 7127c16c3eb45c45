import * as z from 'zod';
import type { Daemon } from '../../daemon/daemon.ts';
import { Services } from '../../services/services.ts';
import type { ForwardEvent } from '../../services/forward.ts';
import { forwardShape, serviceShape, socksShape } from '../../services/service-options.ts';
import type { ErrorReport } from '../../events.ts';
import { type Route, type ServerEvent, route } from '../route.ts';
import { eventQueue } from '../event-queue.ts';

const offeredShape: z.ZodType = z
  .looseObject({
    name: z.string(),
    target: z.string().describe('host:port that connections go to'),
    allow: z.array(z.string()).describe('peer ids, or "*"'),
    origin: z.enum(['configuration', 'command']),
    open: z.int(),
    connected: z.int(),
  })
  .describe('a TCP service that this node offers to peers');

const heldShape: z.ZodType = z.looseObject({}).describe('`listening` once, with where; then what happens to those who connect');

/** Services offered and used. Forwards and proxies made here last as long as whoever asked for them reads on. */
export const SERVICE_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/services',
    name: 'listServices',
    summary: 'The TCP services that this node offers to peers',
    answer: { type: 'json', schema: z.array(offeredShape) },
    handle: ({ daemon }) => servicesOf(daemon).offered,
  }),
  route({
    method: 'POST',
    path: '/v1/services',
    name: 'expose',
    summary: 'Offers a TCP service to peers, also after a restart',
    body: serviceShape,
    answer: { type: 'json', schema: offeredShape, status: 201 },
    handle: async ({ daemon, body }) => {
      const services = servicesOf(daemon);
      await services.expose(body);
      return services.offered.find(({ name }) => name === body.name);
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/services/{name}',
    name: 'unexpose',
    summary: 'Offers a service no more; what uses it goes on',
    params: z.object({ name: z.string() }),
    answer: { type: 'nothing' },
    handle: ({ daemon, params: { name } }) => servicesOf(daemon).unexpose(name),
  }),
  route({
    method: 'POST',
    path: '/v1/forwards',
    name: 'forward',
    summary: 'Maps a local port to a service of a peer, for as long as the answer is read',
    body: forwardShape,
    answer: { type: 'events', schema: heldShape },
    handle: async ({ daemon, body, signal }) => {
      const services = servicesOf(daemon);
      const events = eventQueue(signal);
      const forward = await services.forward(body, ({ event, ...data }: ForwardEvent) => events.push({ event, data }));
      return held(forward.listening, events.read(), () => services.endForward(forward));
    },
  }),
  route({
    method: 'POST',
    path: '/v1/socks',
    name: 'socks',
    summary: 'A SOCKS5 proxy to services of peers, for as long as the answer is read',
    body: socksShape,
    answer: { type: 'events', schema: heldShape },
    handle: async ({ daemon, body, signal }) => {
      const services = servicesOf(daemon);
      const events = eventQueue(signal);
      const proxy = await services.socks(body, (error: ErrorReport) => events.push({ event: 'failed', data: { error } }));
      return held(proxy.listening, events.read(), () => services.endSocks(proxy));
    },
  }),
];

async function* held(listening: string, events: AsyncIterable<ServerEvent>, end: () => void): AsyncGenerator<ServerEvent, void> {
  try {
    yield { event: 'listening', data: { listen: listening } };
    yield* events;
  } finally {
    end();
  }
}

function servicesOf({ features }: Daemon): Services {
  return features.find((feature) => feature instanceof Services) as Services;
}
