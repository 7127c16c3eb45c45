import { Presets, SingleBar } from 'cli-progress';
import { formatBytes, formatDuration, formatRate } from './quantities.ts';

/** Where there is no terminal, a line at most this often, in milliseconds. */
const LINE_INTERVAL_MS = 1_000;

/** How a transfer gets on, shown on a stream: a bar on a terminal, a line now and then elsewhere. */
export interface Progress {
  /** @param bytes - so far */
  update(bytes: number): void;
  /** Ends it; nothing is shown any more. Idempotent. */
  stop(): void;
}

/**
 * Shows progress with rate and time left.
 * @param label - what is going on, e.g. `sending photo.jpg`
 * @param total - in bytes
 */
export function showProgress(stream: NodeJS.WriteStream, label: string, total: number): Progress {
  return stream.isTTY ? showBar(stream, label, total) : showLines(stream, label, total);
}

interface Figures {
  readonly done: string;
  readonly rate: string;
  readonly left: string;
}

function meter(total: number): (bytes: number) => Figures {
  const startedMs = performance.now();
  return (bytes) => {
    const bytesPerSecond = (bytes * 1000) / Math.max(1, performance.now() - startedMs);
    return {
      done: `${formatBytes(bytes)} of ${formatBytes(total)}`,
      rate: formatRate(bytesPerSecond),
      left: bytes === 0 ? '?' : formatDuration((total - bytes) / bytesPerSecond),
    };
  };
}

function showBar(stream: NodeJS.WriteStream, label: string, total: number): Progress {
  const figures = meter(total);
  const bar = new SingleBar(
    {
      stream,
      format: `${label} [{bar}] {percentage}% | {done} | {rate} | {left} left`,
      barsize: 24,
      hideCursor: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  // An empty file is complete from the beginning; a bar of 0 would never be.
  bar.start(Math.max(1, total), 0, figures(0));
  let running = true;
  return {
    update: (bytes) => bar.update(total === 0 ? 1 : bytes, figures(bytes)),
    stop: () => {
      if (!running) return;
      running = false;
      bar.stop();
    },
  };
}

function showLines(stream: NodeJS.WriteStream, label: string, total: number): Progress {
  const figures = meter(total);
  let nextMs = performance.now() + LINE_INTERVAL_MS;
  return {
    update: (bytes) => {
      const now = performance.now();
      if (now < nextMs) return;
      nextMs = now + LINE_INTERVAL_MS;
      const { done, rate, left } = figures(bytes);
      stream.write(`${label}: ${Math.floor((bytes * 100) / Math.max(1, total))}%, ${done}, ${rate}, ${left} left\n`);
    },
    stop: () => {},
  };
}
