/** Routes each request of a connection to a destination of its own. */
export { ByteSource } from "./byte_source.ts";
export { compileMatch } from "./compile_match.ts";
export type { Destination } from "./destination.ts";
export type { RequestHead } from "./request_head.ts";
export type { HeaderMatch, RequestMatch } from "./request_match.ts";
export { serveHttp } from "./serve.ts";
export type {
  OnTapLost,
  ServeLimits,
  ServeOptions,
  Tapped,
} from "./serve_options.ts";
export {
  type AtRest,
  Standing,
  type StandingEnd,
} from "./standing/standing.ts";
export { tapped, tappedPipe } from "./tapped_pipe.ts";
export { type ClientWatch, watchClient } from "./watch_client.ts";
