import { Ip } from "../../net/mod.ts";

/** What looks like an IPv4 address and is no part of a longer number, or like an IPv6 address. */
const addressText =
  /(?<![\w.:-])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:.]))/gi;

/** `values` with each address in them, as in `tcp://10.96.0.7:80`, as processes on the laptop reach it. */
export function valuesForApp(
  values: Readonly<Record<string, string>>,
  toApp: (ip: Ip) => Ip,
): Record<string, string> {
  const entries = Object.entries(values).map(([name, value]) => [
    name,
    value.replace(addressText, (text) => {
      const ip = Ip.tryParse(text);
      if (ip === undefined) return text;
      const told = toApp(ip);
      return told.equals(ip) ? text : String(told);
    }),
  ]);
  return Object.fromEntries(entries);
}
