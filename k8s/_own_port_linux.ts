/** A listening socket in `/proc/net/tcp`. */
const listening = "0A";

/** Whether a process of this user listens on the port of 127.0.0.1. Where the system does not tell, it counts as so. */
export async function listensHere(port: number): Promise<boolean> {
  if (Deno.build.os !== "linux") return true;
  const text = await Deno.readTextFile("/proc/net/tcp");
  const address = `0100007F:${
    port.toString(16).toUpperCase().padStart(4, "0")
  }`;
  return text.split("\n").some((line) => {
    const [, here, , state, , , , uid] = line.trim().split(/\s+/);
    return here === address && state === listening &&
      Number(uid) === Deno.uid();
  });
}
