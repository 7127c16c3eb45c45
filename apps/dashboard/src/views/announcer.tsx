import type { ComponentChild } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { describeEvent } from '../model/describe-event.ts';
import { live, names } from '../store/page.ts';

const STANDINGS = {
  'no-token': '',
  'connecting': 'Connecting to the node.',
  'live': 'The node answers.',
  'lost': 'The node does not answer.',
  'refused': 'The node does not take the token.',
} as const;

/** Tells screen readers what others see happen: how the page stands, and what went wrong or was mended on the paths. */
export function Announcer(): ComponentChild {
  const { kind } = live.standing.value;
  const [text, setText] = useState('');
  const told = useRef<string>(undefined);
  const newest = live.events.value.at(-1);
  useEffect(() => setText(STANDINGS[kind]), [kind]);
  useEffect(() => {
    if (newest === undefined || newest.key === told.current) return;
    // What was there before somebody came is no news.
    const isNews = Date.now() - newest.event.at < 5_000;
    told.current = newest.key;
    const { topic, text: sentence } = describeEvent(newest.event, (id) => names.value.of(id));
    if (isNews && topic === 'paths') setText(sentence);
  }, [newest]);
  return (
    <output class="for-readers" aria-live="polite">
      {text}
    </output>
  );
}
