/** Why the daemon refused: a closed list, since it crosses from root to the user. */

/** The place in the list is the code on the wire: codes are only ever added at the end. */
export const refusalCodes = [
  "malformed",
  "version",
  "tun-missing",
  "tun-denied",
  "tun-busy",
  "device-open",
  "device-missing",
  "subnet-default",
  "subnet-too-wide",
  "subnet-loopback",
  "subnet-link-local",
  "subnet-multicast",
  "subnet-on-link",
  "subnet-nameserver",
  "subnet-taken",
  "subnet-size",
  "too-many-routes",
  "nameserver-outside",
  "resolver-missing",
  "resolver-unwritable",
  "disk-full",
  "kernel",
  "zone-malformed",
  "zone-top-level",
  "too-many-zones",
] as const;
export type RefusalCode = typeof refusalCodes[number];

/** What each code says: the end of "Cannot …: ". */
const sentences: Record<RefusalCode, string> = {
  "malformed": "the daemon does not understand the request",
  "version": "the daemon belongs to another version of tp",
  "tun-missing": "this host has no /dev/net/tun",
  "tun-denied":
    "root may not open TUN devices or set routes here (a container?)",
  "tun-busy": "the TUN device is in use",
  "device-open": "the device is open already",
  "device-missing": "there is no device yet",
  "subnet-default": "it would take all traffic of this host",
  "subnet-too-wide": "it is wider than any cluster (IPv4 /8, IPv6 /16)",
  "subnet-loopback": "loopback addresses stay on this host",
  "subnet-link-local": "link-local addresses stay on their link",
  "subnet-multicast": "multicast addresses cannot be routed to a cluster",
  "subnet-on-link": "it lies in a subnet that this host is connected to",
  "subnet-nameserver": "a nameserver of this host lies in it",
  "subnet-taken": "this host has a route for it",
  "subnet-size": "it has not the size of a device's subnet",
  "too-many-routes": "there are too many routes",
  "nameserver-outside": "the nameserver is not on the device",
  "resolver-missing": "this host has no /etc/resolv.conf",
  "resolver-unwritable": "/etc/resolv.conf cannot be written",
  "disk-full": "the disk is full",
  "kernel": "the kernel refused; the daemon's log tells more",
  "zone-malformed": "it is not the name of a zone",
  "zone-top-level": "it holds names of the whole internet",
  "too-many-zones": "systemd-resolved takes no more zones",
};

/** The state as a sentence without final period. */
export function refusalSentence(code: RefusalCode): string {
  return sentences[code];
}

/** Inside the daemon: what was asked for is refused. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: RefusalCode;

  constructor(code: RefusalCode) {
    super(sentences[code]);
    this.code = code;
  }
}
