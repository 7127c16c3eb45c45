import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { showProgress } from './progress.ts';

function sink(isTTY: boolean): { readonly stream: NodeJS.WriteStream; text(): string } {
  const stream = Object.assign(new PassThrough(), {
    isTTY,
    columns: 120,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  });
  const chunks: string[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => chunks.join('') };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('progress', () => {
  test('is a line a second where there is no terminal', () => {
    const { stream, text } = sink(false);
    const progress = showProgress(stream, 'sending a', 100e6);
    for (let second = 1; second <= 4; second++) {
      vi.advanceTimersByTime(500);
      progress.update(second * 10e6 - 5e6);
      vi.advanceTimersByTime(500);
      progress.update(second * 10e6);
    }
    progress.stop();
    expect(text().trimEnd().split('\n')).toHaveLength(4);
    expect(text()).toContain('sending a: 40%, 38.1 MiB of 95.4 MiB, 10.0 MB/s, 6 s left');
  });

  test('is a bar on a terminal, with rate and time left', () => {
    const { stream, text } = sink(true);
    const progress = showProgress(stream, 'sending a', 100e6);
    vi.advanceTimersByTime(2000);
    progress.update(50e6);
    progress.stop();
    progress.stop();
    expect(text()).toContain('50%');
    expect(text()).toContain('25.0 MB/s | 2 s left');
  });

  test('of an empty file ends full', () => {
    const { stream, text } = sink(true);
    const progress = showProgress(stream, 'sending a', 0);
    progress.update(0);
    progress.stop();
    expect(text()).toContain('100%');
  });
});
