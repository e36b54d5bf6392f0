// A state: glyph, word, colour.
import { html } from "../lib/html.js";
import { AGENT_STATES, JOB_STATES } from "../lib/states.js";

export const State = ({ glyph, colour, word }) =>
  html`<span class=${`state is-${colour}`}><span aria-hidden="true">${glyph}</span> ${word}</span>`;

export const JobState = ({ state }) => html`<${State} ...${JOB_STATES[state]} word=${state} />`;

export function AgentState({ agent }) {
  const key = agent.state === "up" && agent.busy > 0 ? "busy" : agent.state;
  return html`<${State} ...${AGENT_STATES[key]} word=${agent.drain === "off" ? key : `${key}, draining`} />`;
}
