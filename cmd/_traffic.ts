import type { Status } from "../connector/api.ts";

/** What has gone through the connection, and what has not; `undefined` where it is not counted. */
export function trafficText({ traffic }: Status): string | undefined {
  if (traffic === undefined) return undefined;
  const of = (name: string) => traffic[name] ?? 0;
  const dropped = Object.entries(traffic)
    .filter(([name]) => name.startsWith("dropped_") || name === "udp_dropped")
    .reduce((sum, [, count]) => sum + count, 0);
  return [
    `TCP ${of("tcp_opened")} opened, ${of("tcp_refused")} refused, ` +
    `${of("tcp_open_now")} open`,
    `UDP ${of("udp_dialled")} flows, ${of("udp_open_now")} open`,
    `DNS ${of("dns_queries")} queries, ${of("dns_failed")} failed`,
    `${dropped} packets dropped`,
  ].join("; ");
}

/** The last trouble of the connector, and when it was. */
export function lastErrorText(
  { user_daemon: { last_error: last } }: Status,
): string | undefined {
  if (last === undefined) return undefined;
  const time = last.time.slice(0, 19).replace("T", " ");
  return `${time} UTC: ${last.text.replace(/\s*\n\s*/g, " ")}`;
}
