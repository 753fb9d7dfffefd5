import type { ServerResponse } from 'node:http';
import { markupText } from '../formats/markup.ts';
import { encodeEvent } from '../openai/sse.ts';
import type { Panels, Shown } from './panels.ts';
import { columnsOf, type View, viewQuery } from './view.ts';

/** Each is an open page. More people than this look at Grafana, which is made for it. */
export const MAX_SUBSCRIBERS = 32;
/** How often pages are told what is new. */
const TICK_MS = 2_000;
/** One that has not read for this long has gone without saying so. */
const STALLED_MS = 30_000;
/** Of a chart that is known already: its newest columns still change, and a late tick may have missed one. */
const TAIL = 6;

interface Subscriber {
  readonly view: View;
  readonly raw: ServerResponse;
  /** It has not been told all that it must know before it can be told changes. */
  behind: boolean;
  /** Since when it has not read. */
  stalledSince: number | null;
}

/** What was told last of one view. */
interface Told {
  readonly panels: Readonly<Record<string, string>>;
  readonly names: readonly string[];
}

export interface Subscribers {
  /** False where there are too many; else `open` begins the answer. Its first event holds everything, so nothing is lost by connecting anew. */
  add(view: View, open: () => ServerResponse): boolean;
  /** Tells all of them that it is over. None can be added any more. */
  close(): void;
}

/** Pages that are kept up to date. What they look at is made once a tick for all who look at the same; with nobody looking nothing is made at all. */
export function createSubscribers(
  render: (views: readonly View[]) => Promise<readonly Shown[]>,
  onError: (error: unknown) => void,
): Subscribers {
  const subscribers = new Set<Subscriber>();
  const told = new Map<string, Told>();
  let timer: NodeJS.Timeout | undefined;
  let ticking = false;
  let closed = false;

  async function tick(): Promise<void> {
    const views = new Map([...subscribers].map(({ view }) => [viewQuery(view), view]));
    for (const key of told.keys()) if (!views.has(key)) told.delete(key);
    const shown = await render([...views.values()]);
    for (const [index, [key, view]] of [...views].entries()) {
      const now = shown[index];
      if (now !== undefined) tell(key, view, now);
    }
  }

  function tell(key: string, view: View, now: Shown): void {
    const panels = panelTexts(now.panels);
    const before = told.get(key);
    told.set(key, { panels, names: now.names });
    const everything = lazy(() => encodeEvent({ panels, charts: { ...now.charts(columnsOf(view)), whole: true } }));
    const news = lazy(() => {
      const changed = Object.entries(panels).filter(([name, text]) => text !== before?.panels[name]);
      return encodeEvent({ panels: Object.fromEntries(changed), charts: { ...now.charts(TAIL), whole: false } });
    });
    const sameLines = before !== undefined && before.names.join('\n') === now.names.join('\n');
    for (const subscriber of subscribers) {
      if (viewQuery(subscriber.view) === key) send(subscriber, sameLines && !subscriber.behind ? news : everything);
    }
  }

  /** One that reads slowly misses ticks, and is told everything when it has caught up: nothing piles up here. */
  function send(subscriber: Subscriber, event: () => string): void {
    const { raw } = subscriber;
    if (raw.writableNeedDrain) {
      subscriber.behind = true;
      subscriber.stalledSince ??= performance.now();
      if (performance.now() - subscriber.stalledSince > STALLED_MS) raw.destroy();
      return;
    }
    subscriber.behind = false;
    subscriber.stalledSince = null;
    raw.write(event());
  }

  function soon(): void {
    if (ticking) return;
    ticking = true;
    tick()
      .then(
        () => [...subscribers].some(({ behind, stalledSince }) => behind && stalledSince === null),
        (error: unknown) => {
          onError(error);
          return false;
        },
      )
      .then((someCameMeanwhile) => {
        ticking = false;
        if (someCameMeanwhile) soon();
      });
  }

  function remove(subscriber: Subscriber): void {
    subscribers.delete(subscriber);
    if (subscribers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    add(view, open) {
      if (closed || subscribers.size >= MAX_SUBSCRIBERS) return false;
      const raw = open();
      const subscriber = { view, raw, behind: true, stalledSince: null };
      subscribers.add(subscriber);
      raw.on('close', () => remove(subscriber));
      timer ??= setInterval(soon, TICK_MS).unref();
      soon();
      return true;
    },
    close() {
      closed = true;
      for (const { raw } of subscribers) raw.end('event: end\ndata: {}\n\n');
    },
  };
}

function panelTexts(panels: Panels): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(panels).map(([name, markups]) => [name, markups.map(markupText).join('')] as const),
  );
}

function lazy<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
