import { type Conn, writeAll } from "../../net/mod.ts";

/** Writes it as a stream's only answer. */
export async function writeJson(to: Conn, answer: unknown): Promise<void> {
  try {
    await writeAll(to, new TextEncoder().encode(JSON.stringify(answer)));
    await to.closeWrite();
    to.close();
  } catch {
    to.reset();
  }
}
