/** Who this laptop is in intercepts: in words, and as a label by which it finds what it left behind. */
import { cacheDirectory } from "../process/paths.ts";

export interface LaptopName {
  /** `user@host`. */
  readonly client: string;
  /** The same for each connector of one API user on one laptop, and for no other. */
  readonly label: string;
}

/** @param owner The user, as the API server knows them. */
export async function laptopName(owner: string): Promise<LaptopName> {
  const host = Deno.hostname();
  const user = Deno.env.get("USER") || Deno.env.get("LOGNAME") ||
    String(Deno.uid());
  const text = JSON.stringify([owner, host, Deno.uid(), await laptopId()]);
  const bytes = new TextEncoder().encode(text);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { client: `${user}@${host}`, label: digest.toHex().slice(0, 32) };
}

/** Names of hosts are not unique. Where it cannot be kept, what is left behind ends by its session's grace. */
async function laptopId(): Promise<string> {
  const path = `${cacheDirectory()}/laptop-id`;
  const known = await Deno.readTextFile(path).catch(() => "");
  if (/^[0-9a-f-]{36}$/.test(known)) return known;
  const id = crypto.randomUUID();
  try {
    await Deno.mkdir(cacheDirectory(), { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(path, id, { mode: 0o600 });
  } catch {
    // It is another one the next time.
  }
  return id;
}
