import type { TimedEvent } from '../events.ts';
import { type Progress, showProgress } from '../progress.ts';
import { wrap } from './report.ts';

export interface ScreenOptions {
  /** Only the result goes to standard output, everything else to standard error. */
  readonly json: boolean;
  /** Everything the nodes tell, too. */
  readonly verbose: boolean;
}

/** Where the demo speaks. */
export class Screen {
  readonly #options: ScreenOptions;
  #progress: Progress | undefined;
  #label = '';

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  say(text = ''): void {
    (this.#options.json ? process.stderr : process.stdout).write(`${text}\n`);
  }

  heading(text: string): void {
    this.say(`\n${text}\n${'='.repeat(text.length)}\n`);
  }

  paragraph(text: string): void {
    this.say(`${wrap(text, '', 0)}\n`);
  }

  /** What somebody does, in the seed's table. */
  step(name: string, text: string): void {
    this.say(wrap(text, `  ${name} `, 5));
  }

  /** What the bar is of. */
  label(text: string): void {
    this.#label = text;
  }

  /** Shows the progress that a sender tells of. */
  progress(event: TimedEvent): void {
    if (!('event' in event)) return;
    if (event.event === 'progress') {
      this.#progress ??= showProgress(process.stderr, this.#label, event.size);
      this.#progress.update(event.bytes);
    } else if (event.event === 'sent') {
      this.endProgress();
    }
  }

  endProgress(): void {
    this.#progress?.stop();
    this.#progress = undefined;
  }

  /** What a node told or complained of, for those who want to know. */
  verbose(name: string, text: string): void {
    if (this.#options.verbose) process.stderr.write(`${text.trimEnd().replace(/^/gm, `[${name}] `)}\n`);
  }

  /** The result for programs. */
  result(value: unknown): void {
    if (this.#options.json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }
}
