// Who renders a job now, and who is kept from it.
import { useSnapshot } from "../farm/snapshots.js";
import { ago } from "../lib/format.js";
import { html } from "../lib/html.js";

function Lease({ agent, lease }) {
  return html`<tr><td>${agent}</td><td class="num">${lease.frames}</td><td class="num">${lease.frame ?? "–"}</td>
    <td>${lease.progress > 0 && html`<progress max="1" value=${lease.progress} aria-label=${`Frame ${lease.frame}`} />`}</td><td class="dim">${ago(lease.since)}</td></tr>`;
}

function leasesOf(agents, job) {
  return agents.flatMap((agent) => agent.leases.filter((lease) => lease.job === job.id).map((lease) => ({ agent: agent.name, lease })));
}

export function JobAgents({ job }) {
  const { data } = useSnapshot("/v1/agents", { gap: 1000 });
  if (!data) return null;
  const leases = leasesOf(data.agents, job);
  const benched = data.agents.flatMap((agent) => agent.benched.filter((bench) => bench.job === job.id).map((bench) => `${agent.name}: ${bench.text}`));
  if (leases.length + benched.length === 0) return null;
  return html`<section aria-labelledby="who-title"><h2 id="who-title">Who renders it</h2>
    ${leases.length > 0 && html`<table><thead><tr><th scope="col">Agent</th><th scope="col" class="num">Frames</th><th scope="col" class="num">Now</th><th scope="col">Progress</th><th scope="col">Since</th></tr></thead>
      <tbody>${leases.map(({ agent, lease }) => html`<${Lease} key=${lease.lease} agent=${agent} lease=${lease} />`)}</tbody></table>`}
    ${benched.map((text) => html`<p key=${text} class="warn">! ${text}</p>`)}
  </section>`;
}
