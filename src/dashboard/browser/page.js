import { createCharts } from './charts.js';
import { patch, showLocalTimes } from './morph.js';
import { follow } from './stream.js';

/** @typedef {import('./charts.js').Charts} Charts */

const words = {
  connecting: 'Connecting…',
  live: 'Live',
  lost: 'Connection lost, trying again',
  ended: 'The gateway has ended, trying again',
  paused: 'Paused',
};

const connection = document.querySelector('#connection');
const pause = document.querySelector('#pause');
const zone = document.querySelector('#zone');
const { by, minutes } = document.body.dataset;
const charts = createCharts(document.querySelectorAll('.plot'));
let paused = false;

/** @param {keyof typeof words} state */
function showState(state) {
  const text = words[state];
  // The same words again would be read out again.
  if (connection !== null && connection.textContent !== text) connection.textContent = text;
  document.body.dataset['state'] = state;
}

/** @param {{ panels: Record<string, string>, charts: Charts }} news */
function showNews(news) {
  for (const [name, html] of Object.entries(news.panels)) {
    const panel = document.getElementById(`panel-${name}`);
    if (panel !== null) patch(panel, html);
  }
  charts.update(news.charts);
}

const stream = follow(`/dashboard/events?by=${by}&minutes=${minutes}`, {
  onNews: (data) => showNews(JSON.parse(data)),
  onState: showState,
});

/** A page that nobody sees takes no place from one that somebody does. */
function startOrStop() {
  if (paused || document.hidden) stream.stop();
  else stream.start();
}

if (pause instanceof HTMLButtonElement) {
  pause.hidden = false;
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.textContent = paused ? 'Resume' : 'Pause';
    if (paused) showState('paused');
    startOrStop();
  });
}
if (zone !== null) zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
showLocalTimes(document);
document.addEventListener('visibilitychange', startOrStop);
startOrStop();
