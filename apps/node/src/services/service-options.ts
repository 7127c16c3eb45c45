import { parsePeerId } from '@matryoshka/node';
import * as z from 'zod';
import { parsed } from '../config/config-key.ts';
import { destination } from '../node-flags.ts';
import { ExitRules } from './exit-rules.ts';
import type { ForwardSettings } from './forward.ts';
import { ANYBODY, type Service } from './service-host.ts';
import { parseHostPort, parseServiceName } from './service-name.ts';
import type { SocksSettings } from './socks/socks-proxy.ts';
import { checkWay, wayShape } from './way.ts';

// What is configured and asked for of services, with errors that say what is allowed.

/** A service as configurations and requests name it. */
export interface ServiceEntry {
  readonly name: string;
  /** `host:port`. */
  readonly target: string;
  readonly allow: readonly string[];
}

const allowed = parsed((peer) => {
  if (peer !== ANYBODY) parsePeerId(peer);
});
const hostPort = parsed(parseHostPort);

/** Loopback addresses only: who is on this machine is not asked who they are. */
export const loopbackPort: z.ZodType<string> = parsed((text) => {
  const { host } = parseHostPort(text, { anyPort: true });
  if (host !== '::1' && !/^127\.\d+\.\d+\.\d+$/.test(host))
    throw new TypeError('must be a loopback address and a port, as 127.0.0.1:1080 or [::1]:1080');
});

export const peerList: z.ZodType<string[]> = z.array(allowed, `must be a list of peer ids, or of "${ANYBODY}" for all that may connect`);

export const serviceShape: z.ZodType<ServiceEntry> = z.strictObject({
  name: parsed(parseServiceName),
  target: hostPort.describe('host:port that connections go to'),
  allow: peerList.refine((peers) => peers.length > 0, `must name at least one peer, or "${ANYBODY}" for all that may connect`),
});

export const servicesShape: z.ZodType<ServiceEntry[]> = z
  .array(serviceShape, 'must be a list of services')
  .max(256, 'must have 256 services at most')
  .superRefine((services, context) => {
    const names = new Set<string>();
    for (const { name } of services) {
      if (names.has(name)) context.addIssue({ code: 'custom', message: `names the service ${name} twice` });
      names.add(name);
    }
  });

/** Adds what goes together, and what does not. */
function withWay<T extends z.ZodRawShape>(shape: T): z.ZodType {
  return z.strictObject({ ...shape, ...wayShape }).superRefine((settings, context) => {
    try {
      checkWay(settings);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  });
}

export const forwardShape: z.ZodType<ForwardSettings> = withWay({
  listen: parsed((text) => parseHostPort(text, { anyPort: true })).describe('host:port of this machine, port 0 for any free one'),
  peer: parsed(destination).describe('[peerId@]host:port, a peer id, or peerId@relayPeerId[@host:port]'),
  service: parsed(parseServiceName),
}) as z.ZodType<ForwardSettings>;

export const forwardsShape: z.ZodType<ForwardSettings[]> = z
  .array(forwardShape, 'must be a list of forwards')
  .max(256, 'must have 256 forwards at most');

export const socksShape: z.ZodType<SocksSettings> = withWay({
  listen: loopbackPort,
  exit: parsed(destination).optional().describe('the peer that ordinary hosts are reached through'),
}) as z.ZodType<SocksSettings>;

export const exitRules: z.ZodType<string[]> = z.array(
  parsed((rule) => new ExitRules([rule])),
  'must be a list of rules such as example.com:443',
);

/** What a service is offered as. */
export function serviceFrom({ name, target, allow }: ServiceEntry): Service {
  return { name, target: parseHostPort(target), allow };
}
