// The title of the tab: how far a job is can be seen from another tab.
import { useEffect } from "preact/hooks";

export function useTitle(text) {
  useEffect(() => {
    document.title = text ? `${text} – frameq` : "frameq";
  }, [text]);
}
