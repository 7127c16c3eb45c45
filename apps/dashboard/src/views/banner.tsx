import type { ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { live } from '../store/page.ts';

/** Says that the node does not answer, and when it is asked again. */
export function Banner(): ComponentChild {
  const standing = live.standing.value;
  const [nowMs, setNow] = useState(Date.now());
  useEffect(() => {
    if (standing.kind !== 'lost') return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [standing]);
  if (standing.kind !== 'lost') return null;
  const seconds = Math.max(0, Math.ceil((standing.retryAtMs - nowMs) / 1000));
  return (
    <div class="banner">
      <span>
        <strong>The node does not answer</strong> ({standing.why}).{' '}
        {live.status.value === undefined ? '' : 'What is shown here is the last that it told. '}
        {seconds === 0 ? 'Asking again…' : `Asking again in ${seconds} s.`}
      </span>
      <button type="button" onClick={() => live.retry()}>
        Ask now
      </button>
    </div>
  );
}
