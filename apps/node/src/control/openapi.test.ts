import { describe, expect, test } from 'vitest';
import { openApiDocument } from './openapi.ts';
import { type Route, route } from './route.ts';
import { controlRoutes } from './routes.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly responses: Record<string, object>;
}
const ROUTES = controlRoutes();
const document = openApiDocument(ROUTES) as { readonly paths: Record<string, Record<string, Operation>> };
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
);

describe('the OpenAPI document', () => {
  test('has every route once, each with a name of its own, and is JSON', () => {
    expect(operations.length).toBe(ROUTES.length);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(ROUTES.length);
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  test('has the routes of whoever runs the daemon, where there are any', () => {
    const more = route({ method: 'GET', path: '/demo', name: 'demo', summary: '', answer: { type: 'nothing' }, handle: () => undefined });
    const paths = (routes: readonly Route[]): readonly string[] => Object.keys((openApiDocument(routes) as typeof document).paths);
    expect(paths(controlRoutes([more]))).toContain('/demo');
    expect(paths(controlRoutes())).not.toContain('/demo');
  });

  test('declares what stands in a path', () => {
    for (const { path, parameters = [] } of operations) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(
        parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name),
        path,
      ).toEqual(names);
    }
  });

  test('describes requests by the schemas they are checked with', () => {
    expect(document.paths['/v1/connections']?.post).toMatchObject({
      operationId: 'connect',
      requestBody: {
        content: {
          'application/json': {
            schema: {
              required: ['to'],
              additionalProperties: false,
              properties: { hops: { anyOf: [{ minimum: 1, maximum: 15 }, { required: ['min', 'max'] }] } },
            },
          },
        },
      },
      responses: { 201: {}, default: { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } } },
    });
  });
});
