// The address is the state of the view: path and query say what is shown,
// filtered and selected. Every path here is served by the broker, too
// (broker/people/routes/page.c), so that any view can be reloaded and sent around.
import { createStore, useStore } from "../lib/store.js";

const ROUTES = [
  { view: "jobs", pattern: /^\/(?:jobs)?$/ },
  { view: "job", pattern: /^\/jobs\/([A-Za-z0-9_-]+)$/ },
  { view: "agents", pattern: /^\/agents$/ },
  { view: "activity", pattern: /^\/activity$/ },
  { view: "submit", pattern: /^\/submit$/ },
];

export function locate(path, search) {
  for (const { view, pattern } of ROUTES) {
    const found = pattern.exec(path);
    if (found) return { view, id: found[1] ?? null, query: Object.fromEntries(new URLSearchParams(search)) };
  }
  return { view: "nowhere", id: null, query: {} };
}

const here = () => locate(window.location.pathname, window.location.search);

export const place = createStore(here());
export const usePlace = () => useStore(place);

/** An address with those members of a query that are not empty. */
export function address(path, query = {}) {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  return text ? `${path}?${text}` : path;
}

export function go(to, { replace = false } = {}) {
  window.history[replace ? "replaceState" : "pushState"](null, "", to);
  place.set(here());
}

/** Changes members of the query, in place: filters and selections are no step
 *  that Back should have to undo. */
export function setQuery(change) {
  go(address(window.location.pathname, { ...place.get().query, ...change }), { replace: true });
}

function isPlainClick(event) {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey && !event.defaultPrevented;
}

function followLink(event) {
  const anchor = event.target.closest?.("a[href^='/']");
  if (!anchor || anchor.target || anchor.hasAttribute("data-file") || !isPlainClick(event)) return;
  event.preventDefault();
  go(anchor.getAttribute("href"));
  window.scrollTo(0, 0);
}

export const router = {
  start() {
    window.addEventListener("popstate", () => place.set(here()));
    document.addEventListener("click", followLink);
  },
};
