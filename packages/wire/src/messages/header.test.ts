import { describe, expect, test } from 'vitest';
import {
  MESSAGE_HEADER_LENGTH,
  MessageType,
  RELAY_DATA_OVERHEAD,
  STREAM_DATA_OVERHEAD,
  isCritical,
  isNumbered,
  unknownCritical,
} from './header.ts';
import { messageLength } from './message.ts';

const names = Object.keys(MessageType) as (keyof typeof MessageType)[];

describe('message types', () => {
  test('every number belongs to one type and fits a byte', () => {
    const numbers = Object.values(MessageType);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers) expect(number & 0xff).toBe(number);
  });

  // design: "Delivery rules"; docs/protocol.md §5.
  test('numbered are those that must arrive once, and no others', () => {
    expect(names.filter((name) => isNumbered(MessageType[name]))).toEqual([
      'hello',
      'goodbye',
      'part',
      'shape',
      'streamOpen',
      'streamData',
      'streamEnd',
      'streamReset',
      'relayCreate',
      'relayStatus',
      'relayData',
      'relayCreditReturn',
      'relayClose',
      'relayRegister',
      'relayMeet',
    ]);
  });

  test('no type that is not known is numbered', () => {
    const known = new Set<number>(Object.values(MessageType));
    for (let type = 0; type < 256; type++) if (!known.has(type)) expect(isNumbered(type)).toBe(false);
  });

  test('only cover may be skipped by who does not know it', () => {
    expect(names.filter((name) => !isCritical(MessageType[name]))).toEqual(['cover']);
    expect(isCritical(0x7f)).toBe(true);
    expect(isCritical(0x80)).toBe(false);
  });

  test('an unknown critical type is named', () => {
    expect(() => unknownCritical(0x0f, 12)).toThrow(
      expect.objectContaining({ code: 'wire.unknown-critical', offset: 12, message: expect.stringContaining('0x0f') as string }),
    );
  });

  test('the overheads of the hot messages are those of the codec', () => {
    const bytes = new Uint8Array(100);
    expect(MESSAGE_HEADER_LENGTH).toBe(3);
    expect(messageLength({ type: 'stream-data', streamId: 1, bytes })).toBe(STREAM_DATA_OVERHEAD + 100);
    expect(messageLength({ type: 'relay-data', port: 1n, more: false, bytes })).toBe(RELAY_DATA_OVERHEAD + 100);
  });
});
