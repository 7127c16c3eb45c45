import type { CliEvent } from './events.ts';
import { type Progress, showProgress } from './progress.ts';

/**
 * Where a command speaks. For people: results on standard output, everything else on standard error. With `--json`:
 * standard output holds one JSON object per line and nothing else.
 */
export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** Tells programs `event`, and people `line`, if there is one. */
  event(event: CliEvent, line?: string): void {
    if (this.json)
      process.stdout.write(
        `${JSON.stringify('error' in event && !('event' in event) ? event : { ...event, at: performance.timeOrigin + performance.now() })}\n`,
      );
    else if (line !== undefined) process.stdout.write(`${line}\n`);
  }

  /** Something only people want to know. */
  note(line: string): void {
    if (!this.json) process.stderr.write(`${line}\n`);
  }

  /** Something went wrong: one line, and what can be done about it. */
  complain(line: string, hint?: string): void {
    process.stderr.write(`matryoshka: ${line}${hint === undefined ? '' : `\n  ${hint}`}\n`);
  }

  /** Progress of a transfer on standard error. */
  progress(label: string, total: number): Progress {
    return showProgress(process.stderr, label, total);
  }
}
