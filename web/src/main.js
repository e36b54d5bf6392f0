// The page of a farm. What it knows comes from the broker as snapshots
// (farm/snapshots.js), kept fresh by one event stream (farm/stream.js); what it
// shows is a function of those and of the address (ui/router.js).
import { render } from "preact";
import { App } from "./app.js";
import { link } from "./farm/link.js";
import { lookAtSession } from "./farm/session.js";
import { html } from "./lib/html.js";
import { keys } from "./ui/keys.js";
import { router } from "./ui/router.js";
import { theme } from "./ui/theme.js";

theme.start();
router.start();
keys.start();
lookAtSession();
link.start();
render(html`<${App} />`, document.getElementById("app"));
