import type { ComponentChild } from 'preact';
import { select } from '../store/place.ts';

/** What is looked at, and a way back. */
export function InspectorTitle({
  over,
  title,
  detail,
}: {
  readonly over: string;
  readonly title: string;
  readonly detail?: string;
}): ComponentChild {
  return (
    <div class="inspector-title">
      <div>
        <p class="overline">{over}</p>
        <h2>{title}</h2>
        {detail !== undefined && <code class="identity">{detail}</code>}
      </div>
      <button type="button" class="quiet" onClick={() => select(undefined)} aria-label="Close (Escape)">
        ✕
      </button>
    </div>
  );
}
