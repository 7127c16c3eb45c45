import { portableProvider, createIdentity } from '@matryoshka/session';
import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { forwardShape, serviceShape, servicesShape, socksShape } from './service-options.ts';

const { peerId } = createIdentity(portableProvider, { fill: (bytes) => void bytes.fill(7) });
const service = { name: 'web', target: '127.0.0.1:8080', allow: [peerId] };
const forward = { listen: '127.0.0.1:0', peer: peerId, service: 'web' };

function problem(shape: z.ZodType, value: unknown): string {
  const result = shape.safeParse(value);
  return result.success ? '' : result.error.issues.map(({ path, message }) => [path.join('.'), message].join(': ')).join('; ');
}

describe('services as they are configured', () => {
  test('are taken where they are well formed', () => {
    expect(problem(serviceShape, service)).toBe('');
    expect(problem(serviceShape, { ...service, allow: ['*'], target: '[::1]:22' })).toBe('');
    expect(problem(forwardShape, { ...forward, hops: 3, gateway: peerId })).toBe('');
    expect(problem(socksShape, { listen: '127.0.0.1:1080', exit: peerId })).toBe('');
  });

  test.each([
    ['a name that is none', serviceShape, { ...service, name: 'My Web' }, 'name: "My Web" is no name of a service'],
    ['a target without a port', serviceShape, { ...service, target: '127.0.0.1' }, 'target: "127.0.0.1" is no host:port'],
    ['port 0 as a target', serviceShape, { ...service, target: '127.0.0.1:0' }, 'is no host:port'],
    ['nobody who may use it', serviceShape, { ...service, allow: [] }, 'allow: must name at least one peer'],
    ['a peer id that is none', serviceShape, { ...service, allow: ['mtk1nonsense'] }, 'allow.0: '],
    ['something unknown', serviceShape, { ...service, color: 'red' }, 'color'],
    ['one name twice', servicesShape, [service, service], 'names the service web twice'],
    ['too many hops', forwardShape, { ...forward, hops: 16 }, 'hops: '],
    ['hops and a path', forwardShape, { ...forward, hops: 2, path: [`${peerId}@192.0.2.1:9`] }, 'either hops or path'],
    ['a gateway without hops', forwardShape, { ...forward, gateway: peerId }, 'gateway goes with hops'],
    ['a proxy that others could use', socksShape, { listen: '0.0.0.0:1080' }, 'listen: must be a loopback address'],
    ['a proxy on a name', socksShape, { listen: 'localhost:1080' }, 'listen: must be a loopback address'],
  ] as const)('are refused with %s', (_, shape, value, why) => {
    expect(problem(shape, value)).toContain(why);
  });
});
