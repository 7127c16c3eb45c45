import { reportError } from '../describe-error.ts';

/** The demo did not get to its end. */
export class DemoError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** What went wrong, in one line where it was foreseen. */
export function messageOf(error: unknown): string {
  return error instanceof DemoError ? error.message : reportError(error).message;
}
