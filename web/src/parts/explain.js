// Why a job or a frame waits, as the scheduler decides it, in its words.
import { useSnapshot } from "../farm/snapshots.js";
import { html } from "../lib/html.js";

function Sentence({ text, remedy }) {
  return html`${text}${remedy && html`; <span class="dim">${remedy}</span>`}`;
}

export function WhyJob({ job }) {
  const { data } = useSnapshot(`/v1/jobs/${job.id}/explain`, { gap: 1000 });
  if (!data?.text) return null;
  return html`<section class="box" aria-labelledby="why-title"><h2 id="why-title">Why it waits</h2>
    <p><${Sentence} text=${data.text} remedy=${data.remedy} /></p>
    <ul class="plain">
      ${data.waits_for?.map((other) => html`<li key=${other.job}>after <a href=${`/jobs/${other.job}`}>${other.name || other.job}</a>, which is ${other.state}</li>`)}
      ${data.agents.map((one) => html`<li key=${one.agent}><strong>${one.agent}</strong> <${Sentence} text=${one.text} remedy=${one.remedy} /></li>`)}
    </ul></section>`;
}

/** As the value of a fact. */
export function WhyFrame({ path }) {
  const { data } = useSnapshot(`${path}/explain`, { gap: 1000 });
  if (!data) return "…";
  return html`<${Sentence} text=${data.text} remedy=${data.remedy} />
    ${data.fault_remedy && html`<p class="dim">${data.fault_remedy}</p>`}
    ${data.leases?.length > 0 && html`<ul class="plain">${data.leases.map((lease) => html`<li key=${lease.lease}><strong>${lease.agent}</strong> ${lease.text}</li>`)}</ul>`}`;
}
