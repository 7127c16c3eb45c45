import * as z from 'zod';
import { VERSION } from '../version.ts';
import { problemSchema } from './problem.ts';
import type { Route } from './route.ts';

/** The OpenAPI document of routes, from the very schemas that requests are checked with. */
export function openApiDocument(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return {
    openapi: '3.1.0',
    info: { title: 'Matryoshka control API', version: VERSION, description: 'Local control of a running node.' },
    servers: [{ url: 'http://localhost', description: 'on the local socket of the node, or on the loopback address of control.listen' }],
    security: [{}, { token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'on loopback TCP only' } },
      schemas: { Problem: schemaOf(problemSchema, 'output') },
    },
  };
}

function operation({ name, summary, params, query, body, answer }: Route): object {
  return {
    operationId: name,
    summary,
    ...((params !== undefined || query !== undefined) && { parameters: [...parameters('path', params), ...parameters('query', query)] }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: body === 'bytes' ? { 'application/octet-stream': {} } : { 'application/json': { schema: schemaOf(body, 'input') } },
      },
    }),
    responses: {
      [answer.type === 'nothing' ? 204 : (answer.type === 'json' && answer.status) || 200]: {
        description: summary,
        ...(answer.type !== 'nothing' && { content: contentOf(answer) }),
      },
      default: {
        description: 'why not',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function contentOf(answer: Exclude<Route['answer'], { type: 'nothing' }>): object {
  if (answer.type === 'text') return { [answer.contentType]: { schema: { type: 'string' } } };
  return { [answer.type === 'events' ? 'text/event-stream' : 'application/json']: { schema: schemaOf(answer.schema, 'output') } };
}

function parameters(place: 'path' | 'query', shape: z.ZodObject | undefined): readonly object[] {
  return Object.entries(shape?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema as z.ZodType, 'input') as { readonly description?: string };
    return {
      name,
      in: place,
      required: place === 'path' || !(schema as z.ZodType).safeParse(undefined).success,
      ...(description !== undefined && { description }),
      schema: rest,
    };
  });
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { unrepresentable: 'any', io }) as Record<string, unknown>;
  return rest;
}
