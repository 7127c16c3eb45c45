import type { IncomingMessage } from 'node:http';
import type * as z from 'zod';
import type { Daemon } from '../daemon/daemon.ts';
import type { Control } from './control.ts';

/** What a route answers with. */
export type Answer =
  /** JSON of this shape. */
  | { readonly type: 'json'; readonly schema: z.ZodType; readonly status?: 200 | 201 }
  | { readonly type: 'nothing' }
  /** Server-sent events, each with JSON of this shape. */
  | { readonly type: 'events'; readonly schema: z.ZodType }
  | { readonly type: 'text'; readonly contentType: string };

/** One of the events of an answer. */
export interface ServerEvent {
  readonly id?: number;
  readonly event: string;
  readonly data: unknown;
}

/** A request whose parts have the shapes that the route asks for. */
export interface RouteRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly daemon: Daemon;
  readonly control: Control;
  /** Aborts when whoever asks has gone, or the daemon stops. */
  readonly signal: AbortSignal;
  /** Headers, and the body where the route takes it as it comes. */
  readonly message: IncomingMessage;
}

/** A route of the control API: what it takes and gives, for requests and for the OpenAPI document alike. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** E.g. `/v1/connections/{id}`. */
  readonly path: string;
  /** Names the operation, in camel case. */
  readonly name: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** JSON; `bytes`: whatever comes, which the route reads itself. */
  readonly body?: z.ZodType | 'bytes';
  readonly answer: Answer;
  readonly handle: (request: RouteRequest<never, never, never>) => unknown;
}

type Output<Schema, Otherwise> = Schema extends z.ZodType ? z.output<Schema> : Otherwise;

/** Declares a route; what its handler is given has the types of its schemas. */
export function route<
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | 'bytes' | undefined = undefined,
>(
  declared: Omit<Route, 'params' | 'query' | 'body' | 'handle'> & {
    readonly params?: Params;
    readonly query?: Query;
    readonly body?: Body;
    readonly handle: (request: RouteRequest<Output<Params, undefined>, Output<Query, undefined>, Output<Body, undefined>>) => unknown;
  },
): Route {
  return declared as unknown as Route;
}
