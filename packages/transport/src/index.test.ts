import { expect, test } from 'vitest';

test('exports of the main entry', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toEqual([
    'FRAME_HEADER_LENGTH',
    'FrameDecoder',
    'MAX_MESSAGE_LENGTH',
    'UNSENT_LIMIT_BYTES',
    'addressClass',
    'canonicalAddress',
    'linkMessageLength',
    'memoryLink',
    'memoryNetwork',
    'networkOf',
    'sameNetwork',
    'systemClock',
    'writeFrameHeader',
  ]);
});

test('exports of the other entries', async () => {
  expect(Object.keys(await import('./tcp/index.ts')).toSorted()).toEqual(['tcp']);
  expect(Object.keys(await import('./contract/index.ts')).toSorted()).toEqual(['Recorder', 'linkContract']);
});
