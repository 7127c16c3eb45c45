import { TRAFFIC_PRESETS } from '@matryoshka/peer';
import { describe, expect, test } from 'vitest';
import { suiteChoice } from './suite.ts';

describe('the suite of a session that is opened', () => {
  test('is the faster one, and where all records have one length the same on every machine', () => {
    const suiteFor = suiteChoice(undefined, 'aes256gcm', () => TRAFFIC_PRESETS.standard);
    expect([undefined, TRAFFIC_PRESETS.plain, TRAFFIC_PRESETS.private].map(suiteFor)).toEqual([
      'aes256gcm',
      'aes256gcm',
      'chacha20poly1305',
    ]);
    expect(suiteChoice(undefined, 'aes256gcm', () => TRAFFIC_PRESETS.private)(undefined)).toBe('chacha20poly1305');
  });

  test('is that which was named, whatever else', () => {
    const suiteFor = suiteChoice('aes256gcm', 'chacha20poly1305', () => TRAFFIC_PRESETS.private);
    expect([undefined, TRAFFIC_PRESETS.plain, TRAFFIC_PRESETS.private].map(suiteFor)).toEqual(['aes256gcm', 'aes256gcm', 'aes256gcm']);
  });
});
