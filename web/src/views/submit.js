// The form of a new job. What it would say on a command line stands below it as
// it is filled in; ?frames= and the like fill it in beforehand.
import { useRef, useState } from "preact/hooks";
import { send } from "../farm/api.js";
import { newKey, submitJob } from "../farm/commands.js";
import { countFrames, parseFrames } from "../lib/frames.js";
import { plural } from "../lib/format.js";
import { html } from "../lib/html.js";
import { CommandLines } from "../parts/terminal.js";
import { tell } from "../ui/notices.js";
import { go } from "../ui/router.js";
import { useTitle } from "../ui/title.js";

const ENGINES = ["CYCLES", "BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH"];
const FORMATS = ["PNG", "JPEG", "TIFF", "WEBP", "OPEN_EXR", "OPEN_EXR_MULTILAYER"];
const FRAME_MOST = 1048574;

/* name, label, hint, attributes of the input; the broker checks all of it. */
const MAIN = [
  ["frames", "Frames", "1-250, or 1-100x5,200", { required: true, autofocus: true }],
  ["blend", "Scene", "The .blend as the nodes see it; empty: what they were started with", { placeholder: "/mnt/shots/shot_010.blend" }],
  ["name", "Name", "What people call it; empty: none", { maxlength: 128 }],
  ["priority", "Priority", "0 to 100; 100 goes first", { type: "number", min: 0, max: 100, placeholder: "50" }],
  ["tags", "Only on agents tagged", "gpu, or several with commas between", {}],
];
const MORE = [
  ["engine", "Engine", "", { options: ENGINES }],
  ["samples", "Samples", "", { type: "number", min: 1, max: 65536 }],
  ["resolution", "Resolution", "1920x1080 or 50%", {}],
  ["format", "Format", "", { options: FORMATS }],
  ["output", "Output", "A relative path with #### for the frame number", {}],
  ["scene", "Scene in the .blend", "", {}],
  ["camera", "Camera", "", {}],
  ["batch", "Frames of one launch", "A number, or auto", { placeholder: "auto" }],
  ["depends_on", "After the job", "The id of a job that must be completed before", {}],
];
const NUMBERS = ["priority", "samples"];

const words = (text) => text.split(",").map((word) => word.trim()).filter(Boolean);

/** The body of POST /v1/jobs for what was filled in. */
export function bodyOf(values) {
  const body = {};
  for (const [name, text] of Object.entries(values)) {
    if (text === "" || text === false) continue;
    if (name === "tags") body.requires = { tags: words(text) };
    else if (name === "depends_on") body.depends_on = words(text);
    else if (name === "batch") body.batch = text === "auto" ? "auto" : Number(text);
    else body[name] = NUMBERS.includes(name) ? Number(text) : typeof text === "string" ? text.trim() : text;
  }
  return body;
}

function Field({ field, values, set, says }) {
  const [name, label, usual, { options, ...attributes }] = field;
  const hint = says || usual;
  const input = { name, value: values[name] ?? "", onInput: (event) => set(name, event.target.value), "aria-describedby": hint ? `${name}-hint` : undefined };
  return html`<div class="field"><label for=${`field-${name}`}>${label}</label>
    ${options
      ? html`<select id=${`field-${name}`} ...${input}><option value="">as the .blend says</option>${options.map((one) => html`<option key=${one}>${one}</option>`)}</select>`
      : html`<input id=${`field-${name}`} type="text" autocomplete="off" spellcheck=${false} ...${attributes} ...${input} />`}
    ${hint && html`<span class="dim hint" id=${`${name}-hint`} role=${says === undefined ? undefined : "status"}>${hint}</span>`}</div>`;
}

function framesSay(text) {
  if (!text) return "";
  const spans = parseFrames(text.replaceAll(" ", ""));
  if (!spans) return "That is no list of frames.";
  const last = spans.at(-1);
  if (last.first + (last.count - 1) * last.step > FRAME_MOST) return `Blender renders up to frame ${FRAME_MOST}.`;
  return plural(countFrames(spans), "frame");
}

function useForm(query) {
  const [values, setValues] = useState(query);
  return [values, (name, value) => setValues((now) => ({ ...now, [name]: value }))];
}

export function Submit({ place }) {
  useTitle("Submit");
  const [values, set] = useForm(place.query);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const key = useRef(newKey()); // one form, one job, however often it is sent
  const body = bodyOf(values);
  const command = submitJob(body, key.current);

  async function onSubmit(event) {
    event.preventDefault();
    setBusy(true);
    try {
      const job = await send(command);
      tell(`Submitted ${job.name || job.id}`);
      go(`/jobs/${job.id}`);
    } catch (refusal) {
      if (refusal.status > 0) key.current = newKey(); // unanswered: it may be in
      setProblem(refusal);
      setBusy(false);
    }
  }

  return html`<h1 tabindex="-1">Submit a job</h1>
    <form class="submit" onSubmit=${onSubmit}>
      ${MAIN.map((field) => html`<${Field} key=${field[0]} field=${field} values=${values} set=${set}
        says=${field[0] === "frames" ? framesSay(values.frames) : undefined} />`)}
      <div class="field"><label class="inline"><input type="checkbox" checked=${values.paused === true} onChange=${(event) => set("paused", event.target.checked)} /> Hold it back: paused until somebody resumes it</label></div>
      <details class="more"><summary>More</summary>${MORE.map((field) => html`<${Field} key=${field[0]} field=${field} values=${values} set=${set} />`)}</details>
      ${problem && html`<div class="box bad-box" role="alert"><strong>${problem.title}</strong>${problem.detail && html`<p>${problem.detail}</p>`}</div>`}
      <p class="buttons"><button type="submit" class="main" disabled=${busy}>Submit</button></p>
    </form>
    ${body.frames && html`<section class="terminal"><${CommandLines} command=${{ ...command, title: "The same from a terminal" }} /></section>`}`;
}
