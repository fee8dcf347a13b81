// deno-lint-ignore-file no-console -- what it shows is what the test reads
/**
 * A small program with the shape of `tp`, which shows what an executable made by the build does. The environment
 * variable SAMPLE says what to show, so that every argument is the test's own.
 */
import { shared } from "./shared.ts";

const show = Deno.env.get("SAMPLE") ?? "args";
if (show === "args") {
  console.log(JSON.stringify({
    args: Deno.args,
    executable: Deno.execPath(),
    sharedCount: shared.count,
  }));
} else {
  const { scenes } = await import("./scenes.ts");
  await scenes[show]!();
}
