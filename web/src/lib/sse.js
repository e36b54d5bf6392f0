// Reads a text/event-stream piece by piece. Pure: bytes and sockets are
// farm/stream.js's business.

/** Returns a function to feed with text; it calls take({id, event, data}) for
 *  each event, and for a bare `id` with event "". */
export function eventReader(take) {
  let rest = "";
  let fields = {};

  function endEvent() {
    if (fields.data !== undefined || fields.id !== undefined)
      take({ id: fields.id, event: fields.data === undefined ? "" : (fields.event ?? "message"), data: fields.data });
    fields = {};
  }

  function takeLine(line) {
    if (line === "") return endEvent();
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    fields[name] = name === "data" && fields.data !== undefined ? `${fields.data}\n${value}` : value;
  }

  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) takeLine(line.replace(/\r$/, ""));
  };
}
