import { STATUS_CODES } from 'node:http';
import { MatryoshkaError } from '@matryoshka/node';
import * as z from 'zod';
import { CliError } from '../cli-error.ts';
import { hintOf, reportError } from '../describe-error.ts';

/** A failure as the control API tells it, as problem details of RFC 9457. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  /** Stable. */
  readonly code: string;
  readonly detail: string;
  /** What can be done about it. */
  readonly hint?: string;
}

export const problemSchema: z.ZodType = z.object({
  status: z.int(),
  title: z.string(),
  code: z.string().describe('stable, e.g. node.peer-unknown'),
  detail: z.string(),
  hint: z.string().optional().describe('what can be done about it'),
});

/** A request that the control API does not take. */
export class ControlError extends CliError {
  readonly status: number;

  constructor(status: number, code: string, message: string, hint?: string) {
    super(code, message, hint);
    this.status = status;
  }
}

/** Whatever was thrown, as an answer. What nobody foresaw stays in the log. */
export function problemOf(error: unknown): Problem {
  const status = statusOf(error);
  const { code, message } = reportError(error);
  const hint = hintOf(error);
  return {
    status,
    title: STATUS_CODES[status] ?? 'Error',
    code,
    detail: code === 'bug' ? 'the node has a fault, see its log' : message,
    ...(hint !== undefined && { hint }),
  };
}

function statusOf(error: unknown): number {
  if (error instanceof ControlError) return error.status;
  if (error instanceof CliError) return error.code.startsWith('daemon.') ? 503 : error.code.startsWith('config.') ? 422 : 409;
  if (!(error instanceof MatryoshkaError)) return error instanceof TypeError || error instanceof RangeError ? 400 : 500;
  if (error.code === 'config.invalid') return 422;
  if (error.code === 'node.peer-unknown') return 404;
  if (error.code === 'node.closed' || error.code === 'shutdown') return 503;
  return error.code === 'bug' ? 500 : 502;
}

/** What is wrong with a part of a request: each value by name, what is allowed, and what it was. */
export function invalidPart(part: string, error: z.ZodError, value: unknown): ControlError {
  const problems = error.issues.map((issue) => {
    const path = issue.path.map(String).join('.');
    let at = value;
    for (const name of issue.path) at = (at as Record<PropertyKey, unknown> | undefined)?.[name];
    const shown = at === undefined ? '' : `, not ${(JSON.stringify(at) ?? '').slice(0, 80)}`;
    return `${path === '' ? part : path}: ${issue.message}${issue.code === 'unrecognized_keys' ? '' : shown}`;
  });
  return new ControlError(400, 'control.invalid', problems.join('; '), 'GET /openapi.json describes every request');
}
