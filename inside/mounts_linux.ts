/** What programs read or ask for names, made ours in this mount namespace. */
import { cString, libcPath } from "../libc/mod.ts";

/** MS_BIND */
const bind = 4096n;

/** Services that answer names in the place of `/etc/resolv.conf`: systemd-resolved (nss-resolve), and nscd. */
const nameServices = [
  "/run/systemd/resolve/io.systemd.Resolve",
  "/run/nscd/socket",
  "/var/run/nscd/socket",
];

const calls = {
  mount: {
    parameters: ["buffer", "buffer", "pointer", "usize", "pointer"],
    result: "i32",
  },
} as const;

/**
 * Shows other files than the host's: programs ask our DNS alone. The name services of the host show a plain file, which
 * refuses connections: programs then read `/etc/resolv.conf`.
 *
 * @param files Paths of what is seen as `/etc/resolv.conf` and as `/etc/hosts`, where there is one.
 * @throws {Error} when the kernel does not allow it, or there is no `/etc/resolv.conf`.
 */
export function coverNames(files: { resolvConf: string; hosts: string }): void {
  const library = Deno.dlopen(libcPath, calls);
  const cover = (source: string, path: string) => {
    const [from, to] = [cString(source), cString(path)];
    return library.symbols.mount(from, to, null, bind, null) === 0;
  };
  try {
    if (!cover(files.resolvConf, "/etc/resolv.conf")) {
      throw new Error('Cannot cover "/etc/resolv.conf": it is not allowed');
    }
    cover(files.hosts, "/etc/hosts");
    for (const path of nameServices) cover(files.resolvConf, path);
  } finally {
    library.close();
  }
}
