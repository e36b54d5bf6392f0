// Sends a command and tells how it went. What changed comes by the stream like
// everybody's changes; nothing is assumed here.
import { send } from "../farm/api.js";
import { tell } from "./notices.js";

/** Returns whether it worked. */
export async function act(command, whom = "") {
  try {
    await send(command);
    tell(`${command.past} ${whom}`.trim());
    return true;
  } catch (problem) {
    tell(`${command.title}: ${problem.message}`, true);
    return false;
  }
}
