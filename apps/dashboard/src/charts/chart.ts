import uPlot from 'uplot';
import { formatBytes, formatMs } from '../model/format.ts';
import type { History } from '../model/rates.ts';

export type ChartKind = 'rate' | 'latency';

const HEIGHT = 112;
const SHOWN_SECONDS = 120;
/** What is shown at least, so that noise does not look like traffic. */
const LEAST = { rate: 1_000, latency: 5 } as const;

/** A chart of the last minutes of something. */
export class Chart {
  readonly #host: HTMLElement;
  readonly #kind: ChartKind;
  readonly #resized: ResizeObserver;
  #plot: uPlot;
  #history: History;

  constructor(host: HTMLElement, kind: ChartKind, history: History) {
    this.#host = host;
    this.#kind = kind;
    this.#history = history;
    this.#plot = this.#draw();
    this.#resized = new ResizeObserver(() => this.#plot.setSize({ width: host.clientWidth, height: HEIGHT }));
    this.#resized.observe(host);
  }

  update(history: History): void {
    this.#history = history;
    this.#plot.setData(dataOf(this.#kind, history));
  }

  /** Takes the colours of the page again. */
  repaint(): void {
    this.#plot.destroy();
    this.#plot = this.#draw();
  }

  destroy(): void {
    this.#resized.disconnect();
    this.#plot.destroy();
  }

  #draw(): uPlot {
    const style = getComputedStyle(this.#host);
    const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    const font = `11px ${of('font')}`;
    const grid = { stroke: of('border'), width: 1 };
    const axis = { stroke: of('muted'), font, grid, ticks: { show: false } };
    const line = (label: string, colour: string, fill: boolean): uPlot.Series => ({
      label,
      stroke: colour,
      width: 1.75,
      points: { show: false },
      ...(fill && { fill: `${colour}22` }),
    });
    const least = LEAST[this.#kind];
    return new uPlot(
      {
        width: this.#host.clientWidth,
        height: HEIGHT,
        padding: [8, 22, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        scales: {
          x: { range: (_, _low, high) => [high - SHOWN_SECONDS, high] },
          y: { range: (_, _low, high) => [0, Math.max(least, high * 1.1)] },
        },
        axes: [
          { ...axis, incrs: [10, 30, 60], space: 60, size: 24, values: (_, seconds) => seconds.map(clock) },
          {
            ...axis,
            space: 30,
            size: 58,
            values: (_, values) => values.map((value) => (this.#kind === 'rate' ? formatBytes(value) : formatMs(value))),
          },
        ],
        series:
          this.#kind === 'rate'
            ? [{}, line('Sent', of('sent'), true), line('Received', of('received'), true)]
            : [{}, line('Round trip', of('latency'), true)],
      },
      dataOf(this.#kind, this.#history),
      this.#host,
    );
  }
}

function dataOf(kind: ChartKind, { at, sent, received, roundTripMs }: History): uPlot.AlignedData {
  return kind === 'rate' ? [at, sent, received] : [at, roundTripMs];
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(undefined, { hour12: false, minute: '2-digit', second: '2-digit' });
}
