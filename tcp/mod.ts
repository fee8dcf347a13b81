/** TCP connections of the operating system as the byte flows that every room speaks of. */
export { TcpConn } from "./tcp_conn.ts";
