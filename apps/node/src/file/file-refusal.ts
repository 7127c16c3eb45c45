import { REFUSALS, type RefusalReason } from './file-message.ts';

/** A file is not taken; the sender hears the reason and `text`. */
export class FileRefusal extends Error {
  readonly reason: RefusalReason;

  /** @param text - for people; travels, so nothing of this machine belongs in it */
  constructor(reason: RefusalReason, text: string = REFUSALS[reason][1], options?: ErrorOptions) {
    super(text, options);
    this.name = new.target.name;
    this.reason = reason;
  }
}

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** What a failed file operation means for the sender: the system's code, without any path of this machine. */
export function refusalOf(error: unknown): FileRefusal {
  if (error instanceof FileRefusal) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code !== undefined && FULL.has(code)) return new FileRefusal('no-space', undefined, { cause: error });
  return new FileRefusal('cannot-write', `${REFUSALS['cannot-write'][1]}${code === undefined ? '' : ` (${code})`}`, { cause: error });
}
