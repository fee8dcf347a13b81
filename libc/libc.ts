const isDarwin = Deno.build.os === "darwin";

/** Where the C library of this system is. That of macOS is no file: the system keeps it in memory. */
export const libcPath = isDarwin ? "/usr/lib/libSystem.B.dylib" : "libc.so.6";

/** MSG_DONTWAIT: a call with it never waits for a socket. */
export const doNotWait = isDarwin ? 0x80 : 0x40;

const errorCalls = {
  errnoLocation: {
    name: isDarwin ? "__error" : "__errno_location",
    parameters: [],
    result: "pointer",
  },
} as const;

/** The C library with the calls that are declared, until it is disposed of. */
export class Libc<Calls extends Deno.ForeignLibraryInterface>
  implements Disposable {
  readonly #library: Deno.DynamicLibrary<Calls>;
  readonly #errors = Deno.dlopen(libcPath, errorCalls);
  /** Where this thread has it. Known before a call fails: what runs between may fail itself. */
  readonly #errno = new Deno.UnsafePointerView(
    this.#errors.symbols.errnoLocation()!,
  );

  constructor(calls: Calls) {
    this.#library = Deno.dlopen(libcPath, calls);
  }

  get call(): Deno.StaticForeignLibraryInterface<Calls> {
    return this.#library.symbols;
  }

  /** The error of the call before, if that failed and was made by this thread. */
  get errno(): number {
    return this.#errno.getInt32();
  }

  [Symbol.dispose](): void {
    this.#library.close();
    this.#errors.close();
  }
}
