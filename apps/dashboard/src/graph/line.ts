import type { Point } from './layout.ts';

/** A line as it is drawn, from the rim of one circle to that of another. */
export interface Line {
  readonly length: number;
  /**
   * A point on it.
   * @param way - 0 at its beginning, 1 at its end
   * @param side - how far to the right of it
   */
  at(way: number, side: number): Point;
}

/**
 * @param bend - how far from the middle the control point of its curve is; 0: a straight one
 * @returns undefined where there is no room for a line
 */
export function lineBetween(
  from: Point & { readonly radius: number },
  to: Point & { readonly radius: number },
  bend: number,
): Line | undefined {
  const apart = Math.hypot(to.x - from.x, to.y - from.y);
  const length = apart - from.radius - to.radius;
  if (length <= 0) return undefined;
  const [unitX, unitY] = [(to.x - from.x) / apart, (to.y - from.y) / apart];
  const control = { x: (from.x + to.x) / 2 - unitY * bend, y: (from.y + to.y) / 2 + unitX * bend };
  const start = rim(from, control);
  const end = rim(to, control);
  return {
    length,
    at: (way, side) => {
      const [a, b, c] = [(1 - way) ** 2, 2 * way * (1 - way), way ** 2];
      return {
        x: a * start.x + b * control.x + c * end.x - unitY * side,
        y: a * start.y + b * control.y + c * end.y + unitX * side,
      };
    },
  };
}

/** Where a line from the middle of a circle towards a point leaves it. */
function rim({ x, y, radius }: Point & { readonly radius: number }, towards: Point): Point {
  const apart = Math.hypot(towards.x - x, towards.y - y) || 1;
  return { x: x + ((towards.x - x) / apart) * radius, y: y + ((towards.y - y) / apart) * radius };
}
