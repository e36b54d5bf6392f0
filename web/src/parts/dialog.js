// A modal dialog: the browser's own, which keeps focus inside, closes by Escape
// and gives focus back.
import { useEffect, useRef } from "preact/hooks";
import { html } from "../lib/html.js";

export function Dialog({ open, onClose, label, children }) {
  const dialog = useRef(null);
  useEffect(() => {
    if (open && !dialog.current.open) dialog.current.showModal();
    if (!open && dialog.current.open) dialog.current.close();
  }, [open]);
  return html`<dialog ref=${dialog} aria-label=${label} onClose=${onClose}>${open && children}</dialog>`;
}
