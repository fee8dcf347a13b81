/** Routes each request of a connection to a destination of its own. */
export type { Destination } from "./destination.ts";
export type { RequestHead } from "./request_head.ts";
export type { HeaderMatch, RequestMatch } from "./request_match.ts";
