/** Connections of the operating system as the flows that every room speaks of. */
export { acceptLoop } from "./accept_loop.ts";
export { dialTcp } from "./dial_tcp.ts";
export { dialTls } from "./dial_tls.ts";
export type { OpenPingSocket, PingSocket } from "./ping_socket.ts";
export { openPingSocket } from "./ping_socket_linux.ts";
export { refusalOfError } from "./refusal_of_error.ts";
export { TcpConn } from "./tcp_conn.ts";
export { UdpDatagrams } from "./udp_datagrams.ts";
export { UdpMapping } from "./udp_mapping.ts";
export { UnixConn } from "./unix_conn.ts";
