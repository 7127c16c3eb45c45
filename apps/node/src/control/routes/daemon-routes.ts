import * as z from 'zod';
import { showSetting } from '../../config/show.ts';
import { daemonStatus } from '../../daemon/status.ts';
import { type Route, route } from '../route.ts';
import { settingShape, statusShape } from '../shapes.ts';

const reloadShape = z.object({
  changed: z.array(z.string()).describe('keys whose new values count from now on'),
  needRestart: z.array(z.string()).describe('keys whose new values count from the next start on'),
});

/** The daemon itself: what it knows, its configuration, its life. */
export const DAEMON_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/health',
    name: 'health',
    summary: 'Whether the node is up',
    answer: { type: 'json', schema: z.object({ ok: z.literal(true) }) },
    handle: ({ daemon }) => ({ ok: daemon.node.peerId !== '' }),
  }),
  route({
    method: 'GET',
    path: '/metrics',
    name: 'metrics',
    summary: 'Metrics for Prometheus; no label names a peer or an address',
    answer: { type: 'text', contentType: 'text/plain; version=0.0.4; charset=utf-8' },
    handle: ({ daemon }) => daemon.metrics.text(),
  }),
  route({
    method: 'GET',
    path: '/v1/status',
    name: 'status',
    summary: 'Everything the node knows of itself, its connections and the relay links it forwards',
    answer: { type: 'json', schema: statusShape },
    handle: ({ daemon }) => daemonStatus(daemon),
  }),
  route({
    method: 'GET',
    path: '/v1/config',
    name: 'config',
    summary: 'The effective configuration: every key, its value, and where that comes from',
    answer: { type: 'json', schema: z.object({ settings: z.array(settingShape), needRestart: z.array(z.string()) }) },
    handle: ({ daemon }) => ({ settings: daemon.config.all().map(showSetting), needRestart: daemon.needRestart }),
  }),
  route({
    method: 'POST',
    path: '/v1/reload',
    name: 'reload',
    summary: 'Reads the configuration again, as SIGHUP does',
    answer: { type: 'json', schema: reloadShape },
    handle: ({ daemon }) => daemon.reload(),
  }),
  route({
    method: 'POST',
    path: '/v1/restart',
    name: 'restart',
    summary: 'Ends the node in order and starts it with the configuration as it is now',
    answer: { type: 'nothing' },
    handle: ({ daemon }) => daemon.restart(),
  }),
  route({
    method: 'POST',
    path: '/v1/stop',
    name: 'stop',
    summary: 'Ends the node in order, and its process',
    answer: { type: 'nothing' },
    handle: ({ daemon }) => {
      daemon.requestStop();
    },
  }),
];
