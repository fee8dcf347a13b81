/*
 * The entry stub of the portable executable: a few hundred instructions that run in Deno's own process after the dynamic
 * linker and before Deno's `_start`. It turns `tp ARGS...` into `deno run FLAGS... MODULE ARGS...`:
 *
 * 1. the program's main module is copied into a sealed memfd at a fixed descriptor, so that its name is always the same
 *    (V8's code cache is keyed by it) and nothing is written to disk;
 * 2. the environment is cleaned of what steers Deno, and is given a cache directory that only this user can write;
 * 3. a new argument block is laid on the stack, and Deno's `_start` is entered with it.
 *
 * Freestanding: no libc call, no writable data, no pointer in a constant (nothing relocates the stub). The build checks it.
 */
#include <stdint.h>

/* Filled in by the build (splice.ts); addresses are those of the file, offsets count from the table. */
struct table {
  char magic[8];
  uint64_t self;         /* address of this table */
  uint64_t entry;        /* address of Deno's `_start` */
  uint64_t environ_slot; /* address of the GOT slot that holds the address of libc's `environ` */
  uint64_t flags_offset; /* strings to put after argv[0], each ended by a NUL */
  uint64_t flags_size;
  uint64_t main_offset;  /* the main module */
  uint64_t main_size;
};
extern const struct table table __attribute__((visibility("hidden")));
__asm__(".section .table,\"a\"\n"
        ".balign 8\n"
        ".globl table\n"
        ".hidden table\n"
        "table: .ascii \"tp-stub1\"\n"
        ".zero 56\n"
        ".text\n");

#define MAIN_DESCRIPTOR 100
#define MAIN_PATH "/proc/self/fd/100"

enum { MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_NOEXEC_SEAL = 8 };
enum { F_ADD_SEALS = 1033, ALL_SEALS = 15, O_CLOEXEC = 02000000, AT_FDCWD = -100 };
enum { EINTR = 4, EBADF = 9 };

#if defined(__x86_64__)
enum {
  SYS_write = 1, SYS_close = 3, SYS_fcntl = 72, SYS_geteuid = 107, SYS_exit_group = 231, SYS_mkdirat = 258,
  SYS_faccessat = 269, SYS_dup3 = 292, SYS_memfd_create = 319, SYS_statx = 332
};

static long syscall5(long number, long a, long b, long c, long d, long e) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
}

/* At entry rsp points at argc and rdx holds what `_start` passes to atexit. */
__asm__(".globl _start\n"
        "_start:\n"
        "  xor %ebp, %ebp\n"
        "  mov %rsp, %rdi\n"
        "  mov %rdx, %rsi\n"
        "  and $-16, %rsp\n"
        "  call begin\n");

static inline __attribute__((noreturn)) void enter(uint64_t entry, uint64_t *stack, uint64_t at_exit) {
  __asm__ volatile("mov %0, %%rsp\n\txor %%ebp, %%ebp\n\tjmp *%1"
                   : : "r"(stack), "a"(entry), "d"(at_exit) : "memory");
  __builtin_unreachable();
}
#elif defined(__aarch64__)
enum {
  SYS_dup3 = 24, SYS_fcntl = 25, SYS_mkdirat = 34, SYS_faccessat = 48, SYS_close = 57, SYS_write = 64,
  SYS_exit_group = 94, SYS_geteuid = 175, SYS_memfd_create = 279, SYS_statx = 291
};

static long syscall5(long number, long a, long b, long c, long d, long e) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}

/* At entry sp points at argc and x0 holds what `_start` passes to atexit. */
__asm__(".globl _start\n"
        "_start:\n"
        "  mov x29, #0\n"
        "  mov x30, #0\n"
        "  mov x1, x0\n"
        "  mov x0, sp\n"
        "  b begin\n");

static inline __attribute__((noreturn)) void enter(uint64_t entry, uint64_t *stack, uint64_t at_exit) {
  register uint64_t x0 __asm__("x0") = at_exit;
  __asm__ volatile("mov sp, %0\n\tmov x29, #0\n\tmov x30, #0\n\tbr %1"
                   : : "r"(stack), "r"(entry), "r"(x0) : "memory");
  __builtin_unreachable();
}
#else
#error "the stub knows x86_64 and aarch64"
#endif

static long call(long number, long a, long b, long c) { return syscall5(number, a, b, c, 0, 0); }

static uint64_t length(const char *text) {
  uint64_t n = 0;
  while (text[n]) n++;
  return n;
}

static __attribute__((noreturn)) void die(const char *why) {
  static const char start[] = "tp: cannot start: ";
  call(SYS_write, 2, (long)start, sizeof start - 1);
  call(SYS_write, 2, (long)why, length(why));
  call(SYS_write, 2, (long)"\n", 1);
  for (;;) call(SYS_exit_group, 1, 0, 0);
}

static int starts_with(const char *text, const char *prefix) {
  for (; *prefix; text++, prefix++) {
    if (*text != *prefix) return 0;
  }
  return 1;
}

static char *append(char *to, const char *text) {
  while (*text) *to++ = *text++;
  *to = 0;
  return to;
}

/* 1. The main module in a memfd, under a name that never changes, closed in every program that this one starts. */
static void place_main(void) {
  const char *bytes = (const char *)&table + table.main_offset;
  long flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  long fd = call(SYS_memfd_create, (long)"tp", flags | MFD_NOEXEC_SEAL, 0);
  if (fd < 0) fd = call(SYS_memfd_create, (long)"tp", flags, 0); /* Linux before 6.3 */
  if (fd < 0) die("memfd_create failed");
  for (uint64_t done = 0; done < table.main_size;) {
    long n = call(SYS_write, fd, (long)(bytes + done), (long)(table.main_size - done));
    if (n == -EINTR) continue;
    if (n <= 0) die("no memory for the program");
    done += (uint64_t)n;
  }
  call(SYS_fcntl, fd, F_ADD_SEALS, ALL_SEALS);
  if (fd != MAIN_DESCRIPTOR) {
    long result = call(SYS_dup3, fd, MAIN_DESCRIPTOR, O_CLOEXEC);
    if (result == -EBADF) die("more than 100 open files must be allowed (ulimit -n)");
    if (result < 0) die("dup3 failed");
    call(SYS_close, fd, 0, 0);
  }
  if (call(SYS_faccessat, AT_FDCWD, (long)MAIN_PATH, 4) != 0) die("/proc is not mounted");
}

/* 2. What steers Deno, its command line or Node's compatibility layer is the program's business, not the caller's. */
static int is_wiped(const char *variable, int root) {
  if (starts_with(variable, "DENO_") || starts_with(variable, "NODE_")) return 1;
  if (starts_with(variable, "RUST_") || starts_with(variable, "OTEL_DENO")) return 1;
  if (starts_with(variable, "COMPLETE=")) return 1; /* asks Deno for its own shell completion */
  return root && starts_with(variable, "SSL"); /* SSL_CERT_FILE, SSL_CERT_DIR, SSLKEYLOGFILE */
}

struct statx {
  uint32_t mask, block_size;
  uint64_t attributes;
  uint32_t links, uid, gid;
  uint16_t mode, spare;
  uint64_t rest[28];
};

#define ROOT_CACHE "/var/cache/tp"
#define NO_CACHE "/proc/nocache"

/*
 * Where byte code is cached. It is executed as it is found, so root never uses a directory that another user could have
 * written: its own, or none. Without a home there is none either; a path in /proc can't be made by anyone.
 */
static void name_cache(char *to, int root, const char *xdg, const char *home) {
  to = append(to, "DENO_DIR=");
  if (root) {
    struct statx found;
    call(SYS_mkdirat, AT_FDCWD, (long)ROOT_CACHE, 0700);
    long result = syscall5(SYS_statx, AT_FDCWD, (long)ROOT_CACHE, 0x100 /* AT_SYMLINK_NOFOLLOW */, 0x7ff, (long)&found);
    int own = result == 0 && found.uid == 0 && (found.mode & 0170022) == 0040000;
    append(to, own ? ROOT_CACHE : NO_CACHE);
  } else if (xdg && xdg[0] == '/') {
    append(append(to, xdg), "/tp/deno");
  } else if (home && home[0] == '/') {
    append(append(to, home), "/.cache/tp/deno");
  } else {
    append(to, NO_CACHE);
  }
}

__attribute__((noreturn, used)) void begin(uint64_t *old, uint64_t at_exit) {
  uint64_t bias = (uint64_t)&table - table.self;
  uint64_t argc = old[0];
  char **argv = (char **)(old + 1);
  char **env = argv + argc + 1;
  int root = call(SYS_geteuid, 0, 0, 0) == 0;

  place_main();

  const char *xdg = 0, *home = 0;
  uint64_t env_count = 0;
  for (; env[env_count]; env_count++) {
    if (starts_with(env[env_count], "XDG_CACHE_HOME=")) xdg = env[env_count] + 15;
    if (starts_with(env[env_count], "HOME=")) home = env[env_count] + 5;
  }
  uint64_t *aux = (uint64_t *)(env + env_count + 1);
  uint64_t aux_count = 0;
  while (aux[aux_count]) aux_count += 2;
  aux_count += 2;

  const char *flags = (const char *)&table + table.flags_offset;
  uint64_t flag_count = 0;
  for (uint64_t i = 0; i < table.flags_size; i++) flag_count += flags[i] == 0;

  char *cache = __builtin_alloca(64 + (xdg ? length(xdg) : 0) + (home ? length(home) : 0));
  name_cache(cache, root, xdg, home);

  /* 3. argc, argv, NULL, environment, NULL, auxiliary vector; 16-byte aligned as the ABI wants it. */
  uint64_t words = 1 + argc + flag_count + 2 + env_count + 4 + aux_count;
  uint64_t *stack = __builtin_alloca(words * 8 + 16);
  stack = (uint64_t *)(((uint64_t)stack + 15) & ~(uint64_t)15);
  uint64_t *at = stack;
  *at++ = (argc ? argc : 1) + flag_count;
  *at++ = (uint64_t)"tp"; /* Deno behaves otherwise under some names, e.g. `node`; /proc shows the caller's word */
  for (uint64_t i = 0; i < flag_count; i++) {
    *at++ = (uint64_t)flags;
    flags += length(flags) + 1;
  }
  for (uint64_t i = 1; i < argc; i++) *at++ = (uint64_t)argv[i];
  *at++ = 0;
  uint64_t *new_env = at;
  for (uint64_t i = 0; i < env_count; i++) {
    if (!is_wiped(env[i], root)) *at++ = (uint64_t)env[i];
  }
  *at++ = (uint64_t)cache;
  *at++ = (uint64_t)"DENO_NO_UPDATE_CHECK=1";
  *at++ = (uint64_t)"DENO_DISABLE_NODE_SHIM=1"; /* else Deno may put a `node` of its own into PATH */
  *at++ = 0;
  for (uint64_t i = 0; i < aux_count; i++) *at++ = aux[i];

  /* libc has taken the kernel's environment already; it is told of this one where it keeps it. */
  uint64_t **environ_address = *(uint64_t ***)(table.environ_slot + bias);
  *environ_address = new_env;

  enter(table.entry + bias, stack, at_exit);
}
