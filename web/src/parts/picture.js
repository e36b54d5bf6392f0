// A picture the broker can read. Fetched rather than linked, since a link cannot
// carry a token.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../farm/api.js";
import { html } from "../lib/html.js";

const SHOWABLE = /\.(png|jpe?g|webp)$/i;
const BYTES_MOST = 32 * 1024 ** 2;

export const isShowable = (file) => Boolean(file) && SHOWABLE.test(file.path) && file.bytes <= BYTES_MOST;

export function Picture({ path, file, alt }) {
  const [url, setUrl] = useState(null);
  useEffect(() => {
    if (!isShowable(file)) return undefined;
    let made = null;
    let gone = false;
    ask(path, { headers: { Accept: "image/*" } })
      .then((answer) => answer.blob())
      .then((blob) => {
        if (gone) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      })
      .catch(() => {}); // it lies where the broker cannot read it: no picture
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [path]);
  return url && html`<a href=${url} target="_blank" rel="noreferrer"><img class="picture" src=${url} alt=${alt} /></a>`;
}
