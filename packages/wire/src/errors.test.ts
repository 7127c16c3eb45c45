import { describe, expect, test } from 'vitest';
import { DecodeError, MatryoshkaError, asMatryoshkaError, statedReason } from './errors.ts';
import { REASONS } from './reasons.ts';

describe('MatryoshkaError', () => {
  test('carries code and kind, and the text of its code where none is given', () => {
    const error = new MatryoshkaError('relay.disabled');
    expect(error).toMatchObject({
      name: 'MatryoshkaError',
      code: 'relay.disabled',
      kind: 'policy',
      message: REASONS['relay.disabled'].text,
    });
    expect(error.retryAfterMs).toBeUndefined();
    expect('cause' in error).toBe(false);
  });

  test('keeps its cause and when to try again', () => {
    const cause = new Error('socket');
    const error = new MatryoshkaError('relay.rate-limited', 'slow down', { cause, retryAfterMs: 250 });
    expect(error).toMatchObject({ message: 'slow down', cause, retryAfterMs: 250 });
  });
});

describe('DecodeError', () => {
  test('is one of ours and says where', () => {
    const error = new DecodeError('wire.invalid', 'port 0', 7);
    expect(error).toBeInstanceOf(MatryoshkaError);
    expect(error).toMatchObject({ name: 'DecodeError', code: 'wire.invalid', kind: 'peer', offset: 7, message: 'port 0 (at byte 7)' });
  });
});

describe('statedReason', () => {
  test('is one of ours without a stack, and leaves those of others alone', () => {
    const error = statedReason('closed');
    expect(error).toMatchObject({ code: 'closed', kind: new MatryoshkaError('closed').kind });
    expect(error.stack).not.toMatch(/\n\s+at /);
    expect(new MatryoshkaError('closed').stack).toMatch(/\n\s+at /);
  });
});

describe('asMatryoshkaError', () => {
  test('leaves ours alone', () => {
    const error = new DecodeError('wire.truncated', 'short', 0);
    expect(asMatryoshkaError(error, 'bug')).toBe(error);
  });

  test('wraps others under the code, with context and cause', () => {
    const cause = new Error('ECONNREFUSED');
    expect(asMatryoshkaError(cause, 'transport.dial-failed')).toMatchObject({
      code: 'transport.dial-failed',
      message: 'the endpoint could not be dialled: ECONNREFUSED',
      cause,
    });
    expect(asMatryoshkaError('just text', 'bug')).toMatchObject({ code: 'bug', message: REASONS.bug.text, cause: 'just text' });
  });
});
