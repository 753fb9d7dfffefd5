const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const moment = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short' });

/** The listener writes UTC. @param {ParentNode} within */
export function showLocalTimes(within) {
  for (const element of within.querySelectorAll('time')) {
    const format = element.classList.contains('moment') ? moment : time;
    element.textContent = format.format(new Date(element.dateTime));
  }
}

/**
 * Makes what is in an element say what the markup says, and leaves alone what does so already: who reads, selects, scrolls or has the focus there
 * is not disturbed. The markup comes from this page's own listener, which has escaped every text in it.
 *
 * @param {Element} container
 * @param {string} html
 */
export function patch(container, html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  showLocalTimes(template.content);
  patchChildren(container, template.content);
}

/** @param {Node} node */
function keyOf(node) {
  return node instanceof Element ? node.getAttribute('data-key') : null;
}

/** @param {Node} a @param {Node} b */
function isAlike(a, b) {
  return a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

/**
 * Rows with keys are found by them, so that one that is new at the top moves the others down and does not change all of them.
 *
 * @param {ParentNode & Node} to
 * @param {ParentNode & Node} from
 */
function patchChildren(to, from) {
  /** @type {Map<string | null, Node>} */
  const keyed = new Map([...to.children].map((child) => [keyOf(child), child]));
  let place = to.firstChild;
  for (const wanted of [...from.childNodes]) {
    const key = keyOf(wanted);
    const found = key === null ? place : (keyed.get(key) ?? null);
    // Each row is one: clients may send the same request id again and again.
    if (key !== null) keyed.delete(key);
    if (found === null || !isAlike(found, wanted)) {
      to.insertBefore(wanted, place);
      continue;
    }
    if (found === place) place = place.nextSibling;
    else to.insertBefore(found, place);
    patchNode(found, wanted);
  }
  while (place !== null) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

/** @param {Node} to @param {Node} from */
function patchNode(to, from) {
  if (to instanceof Element && from instanceof Element) {
    for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value) to.setAttribute(name, value);
    for (const { name } of [...to.attributes]) {
      // Whoever opened a text keeps it open.
      if (name !== 'open' && !from.hasAttribute(name)) to.removeAttribute(name);
    }
    patchChildren(to, from);
  } else if (to.nodeValue !== from.nodeValue) to.nodeValue = from.nodeValue;
}
