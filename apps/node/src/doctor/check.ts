/** What a look at one thing has shown. */
export interface Finding {
  readonly name: string;
  /** `warn`: it works, and could be better. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do about it. */
  readonly hint?: string;
}

export function ok(name: string, detail: string): Finding {
  return { name, state: 'ok', detail };
}

export function warn(name: string, detail: string, hint?: string): Finding {
  return { name, state: 'warn', detail, ...(hint !== undefined && { hint }) };
}

export function fail(name: string, detail: string, hint?: string): Finding {
  return { name, state: 'fail', detail, ...(hint !== undefined && { hint }) };
}
