// The picture of a frame as the node wrote it, to look at and to save; of a
// kind that browsers do not show, to save only.
import { useArrival } from "../farm/arrival.js";
import { html } from "../lib/html.js";

const SHOWABLE = /\.(png|jpe?g|webp)$/i;

const fileName = (path) => path.split("/").pop();

export function Picture({ path, file, alt }) {
  const { src, problem, onError } = useArrival(file ? path : null);
  if (!file) return null;
  if (problem) return html`<p class="dim">No picture: ${problem.detail || problem.message}</p>`;
  return html`<figure class="full">
    ${SHOWABLE.test(file.path) && html`<a href=${path} target="_blank" rel="noreferrer"><img class="picture" src=${src} alt=${alt} onError=${onError} /></a>`}
    <figcaption><a href=${path} data-file download=${fileName(file.path)}>Download ${fileName(file.path)}</a></figcaption>
  </figure>`;
}
