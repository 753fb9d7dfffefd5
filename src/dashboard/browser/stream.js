/** The listener tells what is new every two seconds: after this long the connection is dead, even if nobody said so. */
const SILENCE_MS = 15_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/**
 * Server-sent events that come again whatever ends them. A browser tries again by itself after a broken connection, and not after an answer that is no
 * stream (too many pages, a gateway that is ending): that is done here.
 *
 * @param {string} url
 * @param {{ onNews(data: string): void, onState(state: 'connecting' | 'live' | 'lost' | 'ended'): void }} listener
 */
export function follow(url, { onNews, onState }) {
  /** @type {EventSource | null} */
  let source = null;
  let retryMs = FIRST_RETRY_MS;
  let retry = 0;
  let silence = 0;

  function open() {
    clearTimeout(retry);
    const opened = new EventSource(url);
    source = opened;
    listenForSilence();
    opened.addEventListener('message', ({ data }) => {
      retryMs = FIRST_RETRY_MS;
      listenForSilence();
      onState('live');
      onNews(data);
    });
    opened.addEventListener('end', () => again('ended'));
    opened.addEventListener('error', () => again('lost'));
  }

  function listenForSilence() {
    clearTimeout(silence);
    silence = setTimeout(() => again('lost'), SILENCE_MS);
  }

  /** @param {'lost' | 'ended'} state */
  function again(state) {
    close();
    onState(state);
    retry = setTimeout(open, retryMs);
    retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
  }

  function close() {
    clearTimeout(retry);
    clearTimeout(silence);
    source?.close();
    source = null;
  }

  return {
    start() {
      if (source !== null) return;
      onState('connecting');
      open();
    },
    stop: close,
  };
}
