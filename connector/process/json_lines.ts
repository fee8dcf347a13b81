/**
 * An answer of lines of JSON, as they come up. It ends with `work`.
 *
 * @param work What it tells resolves when the listener has room for more. Its signal aborts when nobody listens any more;
 *   what it tells then is dropped.
 */
export function jsonLines<T>(
  work: (tell: (value: T) => Promise<void>, gone: AbortSignal) => Promise<void>,
): Response {
  const encoder = new TextEncoder();
  const gone = new AbortController();
  let room = Promise.withResolvers<void>();
  return new Response(
    new ReadableStream<Uint8Array>({
      start(controller) {
        const tell = (value: T): Promise<void> => {
          if (gone.signal.aborted) return Promise.resolve();
          controller.enqueue(encoder.encode(JSON.stringify(value) + "\n"));
          return controller.desiredSize! > 0 ? Promise.resolve() : room.promise;
        };
        work(tell, gone.signal).then(
          () => gone.signal.aborted || controller.close(),
          (error) => gone.signal.aborted || controller.error(error),
        );
      },
      pull() {
        room.resolve();
        room = Promise.withResolvers();
      },
      cancel() {
        gone.abort();
        room.resolve();
      },
    }),
  );
}
