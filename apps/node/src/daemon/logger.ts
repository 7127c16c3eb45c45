import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { LOG_LEVELS } from '../config/app-keys.ts';

export type { Logger } from 'pino';

export interface LogSettings {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: 'auto' | 'json' | 'text';
  /** Whether lines of text begin with the time. */
  readonly time: boolean;
}

const LABELS: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

/**
 * Logs to standard error. Whoever logs above debug keeps addresses and ids of others out; the numbers that connections and
 * relay links have within this node stand for them.
 */
export function createLogger({ level, format, time }: LogSettings): Logger {
  const asText = format === 'text' || (format === 'auto' && process.stderr.isTTY);
  const destination = { write: (line: string): void => void process.stderr.write(asText ? textLine(line, time) : line) };
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime }, destination);
}

/** `10:55:13 info  connection opened (kind=direct, connection=s3)` */
export function textLine(line: string, withTime: boolean): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown> & { readonly err?: { readonly stack?: string } };
  const clock = withTime && typeof time === 'string' ? `${time.slice(11, 19)} ` : '';
  const details = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const stack = err?.stack === undefined ? '' : `\n${err.stack}`;
  return `${clock}${(LABELS[Number(level)] ?? '').padEnd(5)} ${String(msg)}${details.length === 0 ? '' : ` (${details.join(', ')})`}${stack}\n`;
}
