// Whether what is shown is live. A loss is said in a bar; data stays, with its
// age.
import { useEffect, useState } from "preact/hooks";
import { link, linkState } from "../farm/link.js";
import { ago } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";

const WORDS = { connecting: "connecting", live: "live", lost: "not live" };

export function LinkDot() {
  const { state } = useStore(linkState);
  return html`<span class=${`link is-${state}`}><span aria-hidden="true">${state === "live" ? "●" : "○"}</span> ${WORDS[state]}</span>`;
}

function useClock(on) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!on) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return Math.max(now, Date.now());
}

/* The status is there before it says anything, else nobody hears it. */
export function LinkBar() {
  const { state, since, retryAt, reason } = useStore(linkState);
  const lost = state === "lost";
  const now = useClock(lost);
  const seconds = Math.max(0, Math.ceil((retryAt - now) / 1000));
  return html`<div class="link-bar" data-lost=${lost}>
    <span role="status">${lost && `Live updates lost. ${reason}.`}</span>
    ${lost && html`<span>What is shown is from ${ago(since, now)}. Trying again${seconds > 0 ? ` in ${seconds} s` : ""}.</span>
      <button type="button" onClick=${link.retry}>Try now</button>`}
  </div>`;
}
