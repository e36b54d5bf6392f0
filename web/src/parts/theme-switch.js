// Light, dark, or as the system is.
import { html } from "../lib/html.js";
import { useStore } from "../lib/store.js";
import { setSetting, settings } from "../ui/settings.js";

export function ThemeSwitch() {
  const { theme } = useStore(settings);
  return html`<label class="inline"><span class="unseen">Colours</span>
    <select class="quiet" value=${theme} onChange=${(event) => setSetting("theme", event.target.value)}>
      <option value="system">◐ System</option>
      <option value="light">○ Light</option>
      <option value="dark">● Dark</option>
    </select></label>`;
}
