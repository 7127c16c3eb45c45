import { describe, expect, test } from 'vitest';
import { connection, relayLink } from '../../test/samples.ts';
import { describeEvent } from './describe-event.ts';

const naming = (peerId: string): string => peerId.toUpperCase();
const told = (event: string, rest: object = {}) => describeEvent({ event, at: 0, ...rest }, naming);

describe('events in words', () => {
  test.each([
    ['connection', { connection: connection({ peerId: 'b', kind: 'relayed' }) }, 'Connected to B, relayed', 'good'],
    [
      'connection',
      { connection: connection({ peerId: undefined, role: 'responder', remote: '10.0.0.1:5' }) },
      'Connected by someone at 10.0.0.1:5, direct',
      'good',
    ],
    [
      'suspended',
      { connection: connection({ peerId: 'd' }), reason: { code: 'relay.carrier-lost' } },
      'Connection with D was interrupted (relay.carrier-lost)',
      'bad',
    ],
    [
      'path-changed',
      { connection: connection({ peerId: 'd' }), gateway: 'f', reason: { code: 'relay.carrier-lost' } },
      'Connection with D goes another way, by F (relay.carrier-lost)',
      'good',
    ],
    ['relay-opened', { link: relayLink() }, 'Relay link B → C open', 'good'],
    ['relay-requested', { link: relayLink({ nextHop: undefined }) }, 'Relay link B → … asked for', 'plain'],
    ['reloaded', { changed: [] }, 'Configuration read again: nothing has changed', 'plain'],
    ['received', { name: 'a.txt', connection: connection({ peerId: 'b' }) }, 'Received “a.txt” from B', 'good'],
  ])('%s %#', (event, rest, text, weight) => {
    expect(told(event, rest)).toMatchObject({ text, weight });
  });

  test('what a later version tells is told by its name', () => {
    expect(told('eclipse')).toEqual({ topic: 'node', weight: 'plain', text: 'eclipse' });
  });
});
