import { start } from "./cmd/mod.ts";

Deno.exit(await start(Deno.args));
