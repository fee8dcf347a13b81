/** Flags of `tp intercept`, a request that they mean, and some that they do not: for curl, behind the URL of `/`. */
export const conditions: [string[], string[], string[][]][] = [
  [
    ["--http-header", "x-user: anna"],
    ["who", "-H", "X-User: anna"],
    [["who", "-H", "x-user: anna2"], ["who", "-H", "x-other: anna"], ["who"]],
  ],
  [
    ["--http-header", "x-user=~^an+a$"],
    ["who", "-H", "x-user: annna"],
    [["who", "-H", "x-user: hanna"], ["who", "-H", "x-user: annika"]],
  ],
  [
    ["--http-header", "x-user=/^(anna|ben)$/"],
    ["who", "-H", "x-user: ben"],
    [["who", "-H", "x-user: benno"]],
  ],
  [
    ["--http-header", "baggage=user=anna"],
    ["who", "-H", "baggage: a=b, user=anna;ttl=3"],
    [["who", "-H", "baggage: a=b, user=annabel"], ["who"]],
  ],
  [
    ["--http-header", "tracestate=tp=anna"],
    ["who", "-H", "tracestate: x=1,tp=anna"],
    [["who", "-H", "tracestate: x=1,tp=ann"], ["who"]],
  ],
  [
    ["--http-path-equal", "/api"],
    ["api?x=1"],
    [["api/1"], ["API"], ["x?/api"]],
  ],
  [["--http-path-prefix", "/api"], ["api-2/1"], [["v1/api"], [""]]],
  [
    ["--http-path-regex", "^/api/[0-9]+$"],
    ["api/17?x=y"],
    [["api/x"], ["api/1/2"]],
  ],
  [
    ["--http-method", "put", "--http-method", "DELETE"],
    ["who", "-X", "PUT"],
    [["who"], ["who", "-X", "POST"]],
  ],
  [
    ["--http-path-prefix", "/api", "--http-header", "x-user=anna"],
    ["api/1", "-H", "x-user: anna"],
    [["api/1"], ["who", "-H", "x-user: anna"]],
  ],
  [
    [
      ...["--http-any", "--http-path-prefix", "/api"],
      ...["--http-header", "x-user=anna"],
    ],
    ["who", "-H", "x-user: anna"],
    [["who"], ["who", "-H", "x-user: ben"]],
  ],
];
