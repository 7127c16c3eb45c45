import { describe, expect, test } from 'vitest';
import { BEST_TUNING, DEFAULT_TUNING, authorityConfiguration, relayConfiguration, runningRelays } from './torrc.ts';

describe('a torrc', () => {
  const instance = { nickname: 'B', folder: '/somewhere/B', host: '127.22.0.1' };
  const authority = { host: '127.66.0.1', orPort: 1, dirPort: 2, v3Identity: 'AA', fingerprint: 'BB' };

  test('names the authority', () => {
    expect(relayConfiguration(instance, 9001, authority, DEFAULT_TUNING)).toContain(
      '\nDirAuthority authority orport=1 no-v2 v3ident=AA 127.66.0.1:2 BB\n',
    );
  });

  test('differs from the defaults by the tuning only', () => {
    const usual = authorityConfiguration(instance, authority, DEFAULT_TUNING);
    expect(usual).not.toMatch(/ConsensusParams|Schedulers/);
    const tuned = authorityConfiguration(instance, authority, BEST_TUNING);
    expect(tuned).toMatch(/^ConsensusParams cc_cwnd_init=1000 .*cellq_low=1000$/m);
    expect(tuned).toMatch(/^Schedulers Vanilla$/m);
    expect(tuned.split('\n').filter((line) => !/^(ConsensusParams|Schedulers) /.test(line))).toEqual(usual.split('\n'));
  });
});

test('a consensus names the relays that run', () => {
  const consensus = 'r authority AA BB\nm CC\ns Authority Running V2Dir\nr B DD EE\nm FF\ns Exit Fast\nr C DD EE\ns Fast Running Stable\n';
  expect(runningRelays(consensus)).toEqual(['authority', 'C']);
});
