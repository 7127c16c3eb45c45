import { Presets, SingleBar } from 'cli-progress';
import { formatBytes, formatDuration, formatRate } from './quantities.ts';

/** Where there is no terminal, a line at most this often, in milliseconds. */
const LINE_INTERVAL_MS = 2000;

/** How a run gets on, for people. */
export interface Progress {
  /** @param note - what else there is to tell, such as `12 of 50 kills` */
  update(bytes: number, note: string): void;
  /** A line of its own. */
  line(text: string): void;
  /** Nothing is shown any more. Idempotent. */
  stop(): void;
}

interface Figures {
  readonly done: string;
  readonly rate: string;
  readonly left: string;
  readonly note: string;
}

/** Shows progress with rate and time left: a bar on a terminal, a line now and then elsewhere. */
export function showProgress(stream: NodeJS.WriteStream, label: string, total: number): Progress {
  let startedMs: number | undefined;
  const figures = (bytes: number, note: string): Figures => {
    // Processes start first.
    if (bytes > 0) startedMs ??= performance.now();
    const bytesPerSecond = startedMs === undefined ? 0 : (bytes * 1000) / Math.max(100, performance.now() - startedMs);
    return {
      done: `${formatBytes(bytes)} of ${formatBytes(total)}`,
      rate: formatRate(bytesPerSecond),
      left: formatDuration((total - bytes) / bytesPerSecond),
      note,
    };
  };
  return stream.isTTY ? showBar(stream, label, total, figures) : showLines(stream, label, total, figures);
}

function showBar(stream: NodeJS.WriteStream, label: string, total: number, figures: (bytes: number, note: string) => Figures): Progress {
  const format = `${label} [{bar}] {percentage}% | {done} | {rate} | {left} left | {note}`;
  const bar = new SingleBar({ stream, format, barsize: 24, hideCursor: true, gracefulExit: false }, Presets.shades_classic);
  bar.start(total, 0, figures(0, ''));
  let [lastBytes, lastNote] = [0, ''];
  let running = true;
  const stop = (): void => {
    if (running) bar.stop();
    running = false;
  };
  return {
    update: (bytes, note) => {
      [lastBytes, lastNote] = [bytes, note];
      if (running) bar.update(bytes, figures(bytes, note));
    },
    line: (text) => {
      const wasRunning = running;
      stop();
      stream.write(`${text}\n`);
      if (!wasRunning) return;
      bar.start(total, lastBytes, figures(lastBytes, lastNote));
      running = true;
    },
    stop,
  };
}

function showLines(stream: NodeJS.WriteStream, label: string, total: number, figures: (bytes: number, note: string) => Figures): Progress {
  let nextMs = 0;
  return {
    update: (bytes, note) => {
      const now = performance.now();
      // The first one says that something moves.
      if (bytes === 0 || now < nextMs) return;
      nextMs = now + LINE_INTERVAL_MS;
      const { done, rate, left } = figures(bytes, note);
      stream.write(`${label}: ${Math.floor((bytes * 100) / total)}%, ${done}, ${rate}, ${left} left, ${note}\n`);
    },
    line: (text) => void stream.write(`${text}\n`),
    stop: () => {},
  };
}
