import * as z from 'zod';
import { openApiDocument } from './openapi.ts';
import { type Route, route } from './route.ts';
import { CIRCUIT_ROUTES } from './routes/circuit-routes.ts';
import { CONNECTION_ROUTES } from './routes/connection-routes.ts';
import { DAEMON_ROUTES } from './routes/daemon-routes.ts';
import { DASHBOARD_ROUTES } from './routes/dashboard-routes.ts';
import { EVENT_ROUTES } from './routes/event-routes.ts';
import { FILE_ROUTES } from './routes/file-routes.ts';
import { NETWORK_ROUTES } from './routes/network-routes.ts';
import { SERVICE_ROUTES } from './routes/service-routes.ts';

const DOCUMENTED: readonly Route[] = [
  ...DAEMON_ROUTES,
  ...DASHBOARD_ROUTES,
  ...CONNECTION_ROUTES,
  ...CIRCUIT_ROUTES,
  ...NETWORK_ROUTES,
  ...FILE_ROUTES,
  ...SERVICE_ROUTES,
  ...EVENT_ROUTES,
];

/**
 * Everything the control API answers.
 * @param more - routes of whoever runs the daemon, in the document like all others
 */
export function controlRoutes(more: readonly Route[] = []): readonly Route[] {
  const routes: readonly Route[] = [
    ...DOCUMENTED,
    ...more,
    route({
      method: 'GET',
      path: '/openapi.json',
      name: 'openapi',
      summary: 'The OpenAPI document of this API',
      answer: { type: 'json', schema: z.looseObject({}) },
      handle: () => openApiDocument(routes),
    }),
  ];
  return routes;
}
