/** What our image, and the program that asks, add to a container's environment. */
const notTheApps = /^(PATH|HOME|HOSTNAME|SOCAT_.*)$/;

/** Reads what `/proc/PID/environ` holds: `NAME=value`, each ended by NUL. The first of two of a name counts. */
export function parseEnviron(bytes: Uint8Array): Record<string, string> {
  const environment = new Map<string, string>();
  for (const entry of new TextDecoder().decode(bytes).split("\0")) {
    const at = entry.indexOf("=");
    const name = entry.slice(0, at);
    if (at <= 0 || notTheApps.test(name) || environment.has(name)) continue;
    environment.set(name, entry.slice(at + 1));
  }
  return Object.fromEntries(environment);
}
