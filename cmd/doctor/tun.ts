/** What this place has of the TUN device, found out by opening it. */

export type Tun =
  | "usable"
  /** It is there, and this user may not open it; the daemon is root. */
  | "for-root"
  /** It is not there, or nothing in the kernel stands behind it. */
  | "missing"
  /** It is there, and not even root may open it. */
  | "denied"
  /** It opens, and no process of this place may make a device of it. */
  | "no-capability"
  /** macOS has no file of it. */
  | "built-in"
  | { failure: string };

/** Of Linux. */
const errnos = { EPERM: 1, ENOENT: 2, ENXIO: 6, EACCES: 13, ENODEV: 19 };

/** CAP_NET_ADMIN of capabilities(7). */
const netAdmin = 1n << 12n;

/** Opens the device and closes it; an interface is not made. */
export async function lookAtTun(
  path = "/dev/net/tun",
  {
    isRoot = Deno.uid() === 0,
    status = "/proc/self/status",
  } = {},
): Promise<Tun> {
  if (Deno.build.os === "darwin") return "built-in";
  try {
    using _ = await Deno.open(path, { read: true, write: true });
  } catch (error) {
    const { message } = error as Error;
    // Deno's errors have no code for most of these.
    const errno = Number(/\(os error (\d+)\)/.exec(message)?.[1]);
    if (errno === errnos.EACCES && !isRoot) return "for-root";
    if (errno === errnos.EACCES || errno === errnos.EPERM) return "denied";
    const { ENOENT, ENODEV, ENXIO } = errnos;
    const isMissing = [ENOENT, ENODEV, ENXIO].includes(errno);
    return isMissing ? "missing" : { failure: message };
  }
  return await mayHave(netAdmin, status) ? "usable" : "no-capability";
}

/** Whether a process that becomes root from here may have that capability: what is not in the bounding set is lost for good. */
async function mayHave(capability: bigint, status: string): Promise<boolean> {
  const text = await Deno.readTextFile(status).catch(() => "");
  const [, bounding] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(text) ?? [];
  return bounding === undefined ||
    (BigInt(`0x${bounding}`) & capability) !== 0n;
}
