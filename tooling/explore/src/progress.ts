import { Presets, SingleBar } from 'cli-progress';

/** Where there is no terminal, a line at most this often, in milliseconds. */
const LINE_INTERVAL_MS = 10_000;

/** How an exploration gets on, for people. */
export interface Progress {
  /** @param done - worlds so far */
  update(done: number, violations: number): void;
  /** A line of its own, between what is shown of the progress. */
  line(text: string): void;
  /** Nothing is shown any more. */
  stop(): void;
}

/** Shows progress with rate and time left: a bar on a terminal, a line now and then elsewhere. */
export function showProgress(stream: NodeJS.WriteStream, label: string, total: number): Progress {
  const startedMs = performance.now();
  const figures = (done: number, violations: number): { readonly rate: string; readonly left: string; readonly violations: number } => {
    const perMs = done / Math.max(1, performance.now() - startedMs);
    return { rate: `${Math.round(perMs * 60_000)} a minute`, left: done === 0 ? '?' : duration((total - done) / perMs), violations };
  };
  return stream.isTTY ? showBar(stream, label, total, figures) : showLines(stream, label, total, figures);
}

type Figures = (done: number, violations: number) => { readonly rate: string; readonly left: string; readonly violations: number };

function showBar(stream: NodeJS.WriteStream, label: string, total: number, figures: Figures): Progress {
  const format = `${label} [{bar}] {percentage}% | {value} of {total} | {rate} | {left} left | {violations} violations`;
  const bar = new SingleBar({ stream, format, barsize: 24, hideCursor: true, gracefulExit: false }, Presets.shades_classic);
  bar.start(total, 0, figures(0, 0));
  let [lastDone, lastViolations] = [0, 0];
  return {
    update: (done, violations) => {
      [lastDone, lastViolations] = [done, violations];
      bar.update(done, figures(done, violations));
    },
    line: (text) => {
      bar.stop();
      stream.write(`${text}\n`);
      bar.start(total, lastDone, figures(lastDone, lastViolations));
    },
    stop: () => bar.stop(),
  };
}

function showLines(stream: NodeJS.WriteStream, label: string, total: number, figures: Figures): Progress {
  let nextMs = performance.now() + LINE_INTERVAL_MS;
  return {
    update: (done, violations) => {
      const now = performance.now();
      if (now < nextMs) return;
      nextMs = now + LINE_INTERVAL_MS;
      const { rate, left } = figures(done, violations);
      stream.write(
        `${label}: ${Math.floor((done * 100) / total)}%, ${done} of ${total}, ${rate}, ${left} left, ${violations} violations\n`,
      );
    },
    line: (text) => void stream.write(`${text}\n`),
    stop: () => {},
  };
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
