export { UdpDatagrams } from "../tcp/mod.ts";
