// The one template tag of the page.
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
