import { type MatryoshkaError, parseEndpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { type GuardedAddressClass, checkDial } from './dial-policy.ts';

function refusal(text: string, allowed: readonly GuardedAddressClass[] = []): MatryoshkaError | undefined {
  try {
    checkDial(parseEndpoint(text), allowed);
    return undefined;
  } catch (error) {
    return error as MatryoshkaError;
  }
}

describe('R17 dial policy of the last hop', () => {
  test.each(['198.105.1.1:999', '8.8.8.8:1', '[2606:4700::1111]:999', '[2002:808:808::1]:999', '[64:ff9b::808:808]:999'])(
    '%s is dialled',
    (text) => {
      expect(refusal(text)).toBeUndefined();
    },
  );

  test.each<[GuardedAddressClass, string]>([
    ['loopback', '127.0.0.1:999'],
    ['loopback', '127.255.3.4:999'],
    ['loopback', '[::1]:999'],
    ['loopback', '[::ffff:127.0.0.1]:999'],
    ['loopback', '[::127.0.0.1]:999'],
    ['loopback', '[64:ff9b::7f00:1]:999'],
    ['loopback', '[2002:7f00:1::]:999'],
    ['private', '10.1.2.3:999'],
    ['private', '172.16.0.1:999'],
    ['private', '192.168.1.10:999'],
    ['private', '100.64.0.1:999'],
    ['private', '[::ffff:192.168.1.10]:999'],
    ['private', '[64:ff9b::a00:1]:999'],
    ['private', '[2002:a00:1::5]:999'],
    ['private', '[fd00::1]:999'],
    ['link-local', '169.254.1.1:999'],
    ['link-local', '[fe80::1]:999'],
    ['link-local', '[::ffff:169.254.1.1]:999'],
    ['multicast', '224.0.0.1:999'],
    ['multicast', '255.255.255.255:999'],
    ['multicast', '[ff02::1]:999'],
    ['metadata', '169.254.169.254:80'],
    ['metadata', '[::ffff:169.254.169.254]:80'],
    ['metadata', '[64:ff9b::a9fe:a9fe]:80'],
    ['metadata', '[2002:a9fe:a9fe::]:80'],
    ['metadata', '[fd00:ec2::254]:80'],
    ['unspecified', '0.0.0.0:999'],
    ['unspecified', '[::]:999'],
    ['reserved', '240.0.0.1:999'],
  ])('as %s, %s is refused, and allowed by that name only', (name, text) => {
    const error = refusal(text);
    expect(error?.code).toBe('relay.destination-forbidden');
    expect(error?.message).toContain(name);
    expect(refusal(text, [name])).toBeUndefined();
    const others: GuardedAddressClass[] = ['loopback', 'private', 'link-local', 'multicast', 'metadata', 'unspecified', 'reserved'];
    expect(
      refusal(
        text,
        others.filter((other) => other !== name),
      )?.code,
    ).toBe('relay.destination-forbidden');
  });
});
