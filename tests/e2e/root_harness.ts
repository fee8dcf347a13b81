/** Starts the daemon as `tp connect` does, as whoever runs this, and says how it went. */
import { errorText } from "../../cmd/_error.ts";
import { launchDaemon } from "../../cmd/_launch_daemon.ts";

try {
  // deno-lint-ignore no-console -- its words are for the test
  await launchDaemon((line) => console.log(line));
  // deno-lint-ignore no-console -- its words are for the test
  console.log("launched");
} catch (error) {
  // deno-lint-ignore no-console -- its words are for the test
  console.log(errorText(error));
}
