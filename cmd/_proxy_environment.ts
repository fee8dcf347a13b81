/** What programs look for to learn of their proxy: some read upper case, some lower, curl only lower for HTTP. */
export function proxyEnvironment(
  { authority }: { readonly authority: string },
): Record<string, string> {
  const http = `http://${authority}`;
  const variables = {
    HTTP_PROXY: http,
    HTTPS_PROXY: http,
    // `socks5h`: names are looked up by the proxy.
    ALL_PROXY: `socks5h://${authority}`,
    NO_PROXY: "localhost,127.0.0.1,::1",
  };
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => [
      [name, value],
      [name.toLowerCase(), value],
    ]),
  );
}
