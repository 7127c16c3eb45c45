import * as z from 'zod';
import { type Route, route } from '../route.ts';

/** The way to the page that shows the node. */
export const DASHBOARD_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/dashboard',
    name: 'dashboard',
    summary: 'Where the dashboard is, with the token in it; from then on the API listens on loopback TCP, if it did not before',
    answer: {
      type: 'json',
      schema: z.object({
        url: z.string().describe('for a browser on this machine, as secret as the token'),
        built: z.boolean().describe('whether the page is there'),
      }),
    },
    handle: ({ control }) => control.openDashboard(),
  }),
];
