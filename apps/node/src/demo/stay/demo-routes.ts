import { parsePeerId } from '@matryoshka/node';
import * as z from 'zod';
import { parsed } from '../../config/config-key.ts';
import { ControlError } from '../../control/problem.ts';
import { type Route, route } from '../../control/route.ts';
import type { RelayKeeper } from './relay-keeper.ts';

const relayShape = z.object({
  name: z.string(),
  peerId: z.string(),
  endpoint: z.string(),
  state: z.enum(['running', 'down']),
});

/** What the dashboard of the demo can do besides: kill relays. No other node has these routes. */
export function demoRoutes(keeper: Pick<RelayKeeper, 'relays' | 'names' | 'kill'>): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/demo',
      name: 'demo',
      summary: 'The relays of the demo, and which of them are down',
      answer: {
        type: 'json',
        schema: z.object({ relays: z.array(relayShape), names: z.record(z.string(), z.string()).describe('of all others, by peer id') }),
      },
      handle: () => ({ relays: keeper.relays, names: keeper.names }),
    }),
    route({
      method: 'POST',
      path: '/demo/kill',
      name: 'killRelay',
      summary: 'Ends the process of a relay at once; the demo starts it again after a while',
      body: z.strictObject({ peerId: parsed(parsePeerId) }),
      answer: { type: 'nothing' },
      handle: ({ body: { peerId } }) => {
        if (!keeper.kill(peerId))
          throw new ControlError(404, 'demo.unknown-relay', `no relay of the demo is ${peerId}`, 'GET /demo lists them');
      },
    }),
  ];
}
