import { describe, expect, test } from 'vitest';
import { ReplyReader } from './control.ts';
import { BEST_TUNING, DEFAULT_TUNING, authorityConfiguration, relayConfiguration } from './torrc.ts';

describe('replies of the control port', () => {
  test('are whole, however they were cut', () => {
    const text = '250-version=0.4\r\n250 OK\r\n650 CIRC 5 BUILT\r\n552 No such router\r\n';
    const reader = new ReplyReader();
    const replies = [...text].flatMap((character) => reader.read(character));
    expect(replies).toEqual([['250-version=0.4', '250 OK'], ['650 CIRC 5 BUILT'], ['552 No such router']]);
  });
});

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
