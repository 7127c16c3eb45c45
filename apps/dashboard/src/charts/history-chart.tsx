import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { formatMs, formatRate } from '../model/format.ts';
import { live } from '../store/page.ts';
import { theme } from '../store/theme.ts';
import { Chart, type ChartKind } from './chart.ts';

/** How something went in the last minutes: a drawing, and its newest values as text. */
export function HistoryChart({
  of,
  kind,
  title,
}: {
  readonly of: string;
  readonly kind: ChartKind;
  readonly title: string;
}): ComponentChild {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart>(undefined);
  const look = live.look.value;
  const shownTheme = theme.value;
  const history = live.meter.history(of);

  useEffect(() => {
    const now = live.meter.history(of);
    if (host.current === null || now === undefined) return undefined;
    const made = new Chart(host.current, kind, now);
    chart.current = made;
    return () => made.destroy();
    // Anew where there was nothing before.
  }, [of, kind, history === undefined]);
  useEffect(() => {
    if (history !== undefined) chart.current?.update(history);
  }, [look, history]);
  useEffect(() => chart.current?.repaint(), [shownTheme]);

  const { sent, received } = live.meter.rate(of);
  const roundTripMs = history?.roundTripMs.at(-1) ?? undefined;
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        {kind === 'rate' ? (
          <span class="chart-values">
            <span class="key key-sent">Sent {formatRate(sent)}</span>
            <span class="key key-received">Received {formatRate(received)}</span>
          </span>
        ) : (
          <span class="chart-values">
            <span class="key key-latency">{formatMs(roundTripMs)}</span>
          </span>
        )}
      </figcaption>
      <div ref={host} class="chart-canvas" aria-hidden="true" />
    </figure>
  );
}
