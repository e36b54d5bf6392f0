// What just happened.
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";
import { notice } from "../ui/notices.js";

export function NoticeBar() {
  const now = useStore(notice);
  return html`<div class="notice" data-shown=${now !== null} data-bad=${now?.bad}>
    <span role="status">${now?.text}</span>
    ${now && html`<button type="button" class="quiet" aria-label="Dismiss" onClick=${() => notice.set(null)}>✕</button>`}
  </div>`;
}
