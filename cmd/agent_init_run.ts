import { prepareAgent } from "../agent/mod.ts";

export default async function run(): Promise<void> {
  await prepareAgent(Deno.env.toObject());
}
