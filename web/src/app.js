// The frame around every view: where one can go, how the farm is, what just
// happened.
import { useEffect, useRef, useState } from "preact/hooks";
import { useFollow } from "./farm/link.js";
import { session, signOut } from "./farm/session.js";
import { useSnapshot } from "./farm/snapshots.js";
import { html } from "./lib/html.js";
import { useStore } from "./lib/store.js";
import { FarmLine } from "./parts/farm-line.js";
import { KeySheet } from "./parts/key-sheet.js";
import { LinkBar, LinkDot } from "./parts/link-bar.js";
import { NoticeBar } from "./parts/notice-bar.js";
import { ThemeSwitch } from "./parts/theme-switch.js";
import { useShortcuts } from "./ui/keys.js";
import { go, usePlace } from "./ui/router.js";
import { Activity } from "./views/activity.js";
import { Agents } from "./views/agents.js";
import { Job } from "./views/job.js";
import { Jobs } from "./views/jobs.js";
import { Nowhere } from "./views/nowhere.js";
import { SignIn } from "./views/sign-in.js";
import { Submit } from "./views/submit.js";

const VIEWS = { jobs: Jobs, job: Job, agents: Agents, activity: Activity, submit: Submit, nowhere: Nowhere };
const NAV = [["/jobs", "Jobs", "jobs"], ["/agents", "Agents", "agents"], ["/activity", "Activity", "activity"], ["/submit", "Submit", "submit"]];
const RUNNING_MOST = 60;

function Nav({ view }) {
  const current = view === "job" ? "jobs" : view;
  return html`<nav aria-label="Main">
    ${NAV.map(([to, word, name]) => html`<a key=${to} href=${to} aria-current=${name === current ? "page" : undefined}>${word}</a>`)}
  </nav>`;
}

function Header({ view, onKeys }) {
  const { token, user, role } = useStore(session);
  return html`<header class="top">
    <a class="brand" href="/jobs"><img src="/favicon.svg" alt="" width="20" height="20" />frameq</a>
    <${Nav} view=${view} />
    <span class="grow"></span>
    <${ThemeSwitch} />
    <button type="button" class="quiet" onClick=${onKeys}>Keys <kbd>?</kbd></button>
    ${token && html`<button type="button" class="quiet" title=${`Signed in as ${user} by token ${token}, role ${role}`} onClick=${signOut}>Sign out</button>`}
    <${LinkDot} />
  </header>`;
}

/* The stream carries what running jobs do, whatever view is open. */
function useRunningJobs() {
  const { data } = useSnapshot(`/v1/jobs?state=running&limit=${RUNNING_MOST}`, { gap: 2000 });
  useFollow(data ? data.jobs.map((job) => job.id) : []);
}

/* A new view is said aloud, and the keyboard begins at its top. */
function useFocusOnArrival(place) {
  const main = useRef(null);
  const key = `${place.view} ${place.id}`;
  const before = useRef(key);
  useEffect(() => {
    if (before.current !== key) main.current?.querySelector("h1")?.focus();
    before.current = key;
  }, [key]);
  return main;
}

function Footer({ farm }) {
  return html`<footer class="bottom">
    <span>frameq ${farm?.version}</span>
    <a href="/v1/openapi.yaml" data-file>API</a>
    <a href="/metrics" data-file>metrics</a>
    ${farm && farm.ledger.state !== "ok" && html`<strong class="bad">ledger ${farm.ledger.state}: ${farm.ledger.reason}</strong>`}
  </footer>`;
}

export function App() {
  const place = usePlace();
  const { wanted } = useStore(session);
  const [sheet, setSheet] = useState(false);
  const farm = useSnapshot("/v1/farm", { gap: 500 }).data;
  const main = useFocusOnArrival(place);
  useRunningJobs();
  useShortcuts([
    ["?", "This list of keys", () => setSheet(true)],
    ["g j", "Jobs", () => go("/jobs")],
    ["g a", "Agents", () => go("/agents")],
    ["g l", "Activity", () => go("/activity")],
    ["g s", "Submit", () => go("/submit")],
  ]);
  const View = wanted === null ? VIEWS[place.view] : SignIn;
  return html`
    <a class="skip" href="#main">Skip to the content</a>
    <${Header} view=${place.view} onKeys=${() => setSheet(true)} />
    <${LinkBar} />
    <${FarmLine} farm=${farm} />
    <main id="main" ref=${main}><${View} key=${place.id} place=${place} farm=${farm} /></main>
    <${Footer} farm=${farm} />
    <${NoticeBar} />
    <${KeySheet} open=${sheet} onClose=${() => setSheet(false)} />`;
}
