import { expect, test } from 'vitest';

test('exports of the main entry', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toEqual([
    'AddressAdmission',
    'DEFAULT_ADMISSION_SETTINGS',
    'FRAME_HEADER_LENGTH',
    'FairTable',
    'FramingContext',
    'IpFilter',
    'IpNetworks',
    'MAX_MESSAGE_LENGTH',
    'MAX_VEILED_MESSAGE_LENGTH',
    'OPEN_ADMISSION',
    'ReplayMemory',
    'StreamFraming',
    'TokenBucket',
    'UNSENT_LIMIT_BYTES',
    'addressClass',
    'canonicalAddress',
    'linkMessageLength',
    'memoryLink',
    'memoryNetwork',
    'networkOf',
    'parseIpNetwork',
    'sameNetwork',
    'sourceNetwork',
    'systemClock',
    'writeFrameHeader',
  ]);
});

test('exports of the other entries', async () => {
  expect(Object.keys(await import('./tcp/index.ts')).toSorted()).toEqual(['tcp']);
  expect(Object.keys(await import('./contract/index.ts')).toSorted()).toEqual([
    'Recorder',
    'behindFirstMessage',
    'linkContract',
    'withoutSends',
  ]);
});
