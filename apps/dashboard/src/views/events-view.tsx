import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import { TOPICS, type Topic, describeEvent } from '../model/describe-event.ts';
import { formatTime } from '../model/format.ts';
import { live, names } from '../store/page.ts';

/** Events that are drawn at once. */
const PAGE = 200;

export function EventsView(): ComponentChild {
  const [wanted, setWanted] = useState('');
  const [topics, setTopics] = useState<readonly Topic[]>(TOPICS);
  const [shown, setShown] = useState(PAGE);
  const told = live.events.value.map(({ key, event }) => ({ key, event, ...describeEvent(event, (id) => names.value.of(id)) }));
  const found = told
    .filter(({ topic, text, event }) => topics.includes(topic) && `${text} ${event.event}`.toLowerCase().includes(wanted.toLowerCase()))
    .toReversed();
  const toggle = (topic: Topic): void => setTopics(topics.includes(topic) ? topics.filter((each) => each !== topic) : [...topics, topic]);
  return (
    <div class="card table-card">
      <div class="table-tools">
        <input
          type="search"
          placeholder="Filter"
          aria-label="Filter events"
          value={wanted}
          onInput={({ currentTarget }) => setWanted(currentTarget.value)}
        />
        <fieldset class="topics">
          <legend class="for-readers">Which events are shown</legend>
          {TOPICS.map((topic) => (
            <label key={topic}>
              <input type="checkbox" checked={topics.includes(topic)} onChange={() => toggle(topic)} />
              {topic}
            </label>
          ))}
        </fieldset>
      </div>
      {found.length === 0 ? (
        <p class="nothing">{told.length === 0 ? 'Nothing has happened yet.' : 'None of the events is like that.'}</p>
      ) : (
        <ol class="events" aria-label="Events, the newest first">
          {found.slice(0, shown).map(({ key, event, weight, text }) => (
            <li key={key} class={`event event-${weight}`}>
              <time dateTime={new Date(event.at).toISOString()}>{formatTime(event.at)}</time>
              <span class="event-text">{text}</span>
              <code class="event-name">{event.event}</code>
            </li>
          ))}
        </ol>
      )}
      {found.length > shown && (
        <button type="button" class="more" onClick={() => setShown(shown + PAGE)}>
          Show older ones
        </button>
      )}
    </div>
  );
}
