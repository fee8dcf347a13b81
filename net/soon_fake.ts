/** Of a test: so long it waits for what comes at once where the code is right. */
const usualMs = 5_000;

/** What `promise` resolves to. Rejects when that does not come soon, with what it is: a test that hangs says nothing. */
export async function soon<T>(
  what: string,
  promise: Promise<T>,
  ms: number = usualMs,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`It did not come in ${ms} ms: ${what}`)),
    ms,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
