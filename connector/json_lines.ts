/**
 * An answer of lines of JSON, as they come up. It ends with `work`.
 *
 * @param work Its signal aborts when nobody listens any more; what it tells then is dropped.
 */
export function jsonLines<T>(
  work: (tell: (value: T) => void, signal: AbortSignal) => Promise<void>,
): Response {
  const encoder = new TextEncoder();
  const gone = new AbortController();
  return new Response(
    new ReadableStream<Uint8Array>({
      async start(controller) {
        const tell = (value: T) => {
          if (gone.signal.aborted) return;
          controller.enqueue(encoder.encode(JSON.stringify(value) + "\n"));
        };
        try {
          await work(tell, gone.signal);
          if (!gone.signal.aborted) controller.close();
        } catch (error) {
          if (!gone.signal.aborted) controller.error(error);
        }
      },
      cancel: () => gone.abort(),
    }),
  );
}
