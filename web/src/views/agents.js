// Who renders, what, and why not.
import { useFollow } from "../farm/link.js";
import { drainAgent } from "../farm/commands.js";
import { useSnapshot } from "../farm/snapshots.js";
import { ago, duration, jobName, number, secondsSince } from "../lib/format.js";
import { html } from "../lib/html.js";
import { AddAgent } from "../parts/add-agent.js";
import { ProblemBox } from "../parts/problem.js";
import { AgentState } from "../parts/state.js";
import { Terminal } from "../parts/terminal.js";
import { act } from "../ui/act.js";
import { address } from "../ui/router.js";
import { useTitle } from "../ui/title.js";

const LINES_MOST = 10; // agents whose commands are spelled out

function Lease({ lease }) {
  return html`<li><a href=${address(`/jobs/${lease.job}`, { frames: lease.frames })}>${jobName({ ...lease, id: null })}</a>
    ${" "}<span class="num">${lease.frame ?? lease.frames}</span> ${lease.progress > 0 && html`<progress max="1" value=${lease.progress} aria-label=${`Frame ${lease.frame}`} />`}</li>`;
}

function What({ agent }) {
  return html`<ul class="plain">${agent.leases.map((lease) => html`<${Lease} key=${lease.lease} lease=${lease} />`)}</ul>
    ${agent.leases.length === 0 && !agent.why && html`<span class="dim">ready</span>`}
    ${agent.why && html`<span class="warn">${agent.why}</span>`}
    ${agent.benched.map(({ job, text }) => html`<p key=${job} class="warn">! <a href=${`/jobs/${job}`}>${text}</a></p>`)}`;
}

function NodeFacts({ node }) {
  const words = [node.blender && `Blender ${node.blender}`, node.device, node.cores > 0 && `${node.cores} cores`, node.memory_mb > 0 && `${number(Math.round(node.memory_mb / 1024))} GB`];
  const known = words.filter(Boolean).join(", ");
  return node.classic && !known ? html`<span class="dim">classic node</span>` : known;
}

const commandsOf = (agent) => (agent.drain === "off" ? ["soft", "now"] : ["off"]).map((drain) => drainAgent(agent, drain));

function DrainButtons({ agent }) {
  return html`<div class="buttons">${commandsOf(agent).map(
    (command) => html`<button key=${command.title} type="button" aria-label=${`${command.title}: ${agent.name}`}
      onClick=${() => act(command, agent.name)}>${command.title}</button>`,
  )}</div>`;
}

function Row({ agent }) {
  const since = agent.state === "up" ? duration(secondsSince(agent.up_since)) : `heard ${ago(agent.last_heard)}`;
  return html`<tr>
    <th scope="row">${agent.name}${agent.tags.map((tag) => html` <span class="tag" key=${tag}>${tag}</span>`)}</th>
    <td><${AgentState} agent=${agent} /><div class="dim">${since}</div></td>
    <td class="num">${agent.busy}/${agent.slots}</td>
    <td><${What} agent=${agent} /></td>
    <td class="num">${number(agent.done)}${agent.charged > 0 && html` <span class="bad">✕ ${number(agent.charged)}</span>`}</td>
    <td class="num">${agent.speed > 0 ? `× ${agent.speed.toFixed(2)}` : "–"}</td>
    <td class="dim"><${NodeFacts} node=${agent.node} /></td>
    <td><${DrainButtons} agent=${agent} /></td>
  </tr>`;
}

const HEADS = [["Agent"], ["State"], ["Slots", "num"], ["Renders"], ["Done", "num"], ["Speed", "num"], ["Node"], ["", ""]];

function Table({ agents }) {
  return html`<div class="scroll"><table class="agents"><caption class="unseen">Agents</caption>
    <thead><tr>${HEADS.map(([word, kind]) => (word ? html`<th key=${word} scope="col" class=${kind}>${word}</th>` : html`<td key="actions"></td>`))}</tr></thead>
    <tbody>${agents.map((agent) => html`<${Row} key=${agent.name} agent=${agent} />`)}</tbody></table></div>
    <${Terminal} commands=${agents.slice(0, LINES_MOST).flatMap(commandsOf)} />`;
}

export function Agents({ farm }) {
  useTitle("Agents");
  const { data, problem } = useSnapshot("/v1/agents", { gap: 500 });
  const agents = data?.agents;
  useFollow(agents ? [...new Set(agents.flatMap((agent) => agent.leases.map((lease) => lease.job)))] : []);
  return html`<h1 tabindex="-1">Agents</h1>
    <${ProblemBox} problem=${problem} what="Agents" />
    ${agents?.length > 0 && html`<${Table} agents=${agents} />`}
    ${agents && html`<section class="box" aria-labelledby="add-title"><h2 id="add-title">${agents.length === 0 ? "No agents yet: nothing renders" : "Add an agent"}</h2><${AddAgent} farm=${farm} /></section>`}`;
}
