// The picture of a frame as the node wrote it, to look at and to save; of a
// kind that browsers do not show, to save only.
import { useBlob } from "../farm/blobs.js";
import { html } from "../lib/html.js";

const SHOWABLE = /\.(png|jpe?g|webp)$/i;
const BYTES_MOST = 256 * 1024 ** 2;

const fileName = (path) => path.split("/").pop();

export function Picture({ path, file, alt }) {
  const { url, problem } = useBlob(file && file.bytes <= BYTES_MOST ? path : null);
  if (problem) return html`<p class="dim">No picture: ${problem.detail || problem.message}</p>`;
  if (!url) return null;
  return html`<figure class="full">
    ${SHOWABLE.test(file.path) && html`<a href=${url} target="_blank" rel="noreferrer"><img class="picture" src=${url} alt=${alt} /></a>`}
    <figcaption><a href=${url} download=${fileName(file.path)}>Download ${fileName(file.path)}</a></figcaption>
  </figure>`;
}
