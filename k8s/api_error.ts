/** What was asked of the API server; RBAC speaks of the same fields. */
export interface Question {
  /** As RBAC names it: get, list, watch, create, patch, delete. */
  verb: string;
  /** Plural, with the subresource: `pods/portforward`. */
  resource: string;
  /** Empty for the core group. */
  group?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
}

/** The `Status` object by which the API server says no. */
export interface StatusBody {
  kind?: string;
  message?: string;
  reason?: string;
  details?: { name?: string; kind?: string; causes?: { message?: string }[] };
}

/** The API server answered, and the answer is no. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status. */
  readonly status: number;
  /** The API's word for it: `NotFound`, `Forbidden`, `AlreadyExists`, `Conflict`, `Invalid`, … Empty when not told. */
  readonly reason: string;
  /** The API server's own sentence. */
  readonly detail: string;
  readonly question: Question;

  constructor(
    question: Question,
    { status, reason = "", detail }: {
      status: number;
      reason?: string;
      detail: string;
    },
    options?: ErrorOptions,
  ) {
    super(`Cannot ${formatQuestion(question)}: ${detail}`, options);
    this.question = question;
    this.status = status;
    this.reason = reason;
    this.detail = detail;
  }

  get verb(): string {
    return this.question.verb;
  }

  get resource(): string {
    return this.question.resource;
  }

  get namespace(): string | undefined {
    return this.question.namespace;
  }

  /** Name of the object asked about. Not the error's class, which is {@link Error.name}. */
  get object(): string | undefined {
    return this.question.name;
  }
}

/** True for an {@link ApiError} with that reason. */
export function isApiError(error: unknown, reason: string): error is ApiError {
  return error instanceof ApiError && error.reason === reason;
}

/** Words for people: `get pods "web-0" in namespace "orders"`. */
export function formatQuestion(
  { verb, resource, namespace, name }: Question,
): string {
  return `${verb} ${resource}${name === undefined ? "" : ` "${name}"`}${
    namespace === undefined ? "" : ` in namespace "${namespace}"`
  }`;
}

/**
 * The error that an answer of 400 or more stands for.
 *
 * @param answer.body A `Status` as JSON, or any text that a proxy on the way wrote.
 */
export function decodeApiError(
  question: Question,
  { status, body }: { status: number; body: string },
): ApiError {
  const told = parseStatus(body);
  if (told === undefined) {
    const text = plainText(body);
    const detail = text === "" ? `HTTP status ${status}` : text;
    return new ApiError(question, { status, detail });
  }
  const { reason = "", message = `HTTP status ${status}` } = told;
  return new ApiError(question, { status, reason, detail: message });
}

function parseStatus(body: string): StatusBody | undefined {
  try {
    const value = JSON.parse(body);
    return value?.kind === "Status" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The first 200 characters without markup, on one line. */
function plainText(body: string): string {
  const text = body.replace(/<(style|script)[^]*?<\/\1>|<[^>]*>/gi, " ");
  return text.replace(/\s+/g, " ").trim().slice(0, 200);
}
