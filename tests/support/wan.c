/*
 * A wide area network in a box. In a network namespace of its own it carries Ethernet frames between two interfaces,
 * `laptop` and `node`, and gives each direction what a long way gives: delay, loss, a rate with a queue before it, silence.
 *
 * 1. A frame is read from one side's packet socket into a slot of the direction, with the header that tells what is left to
 *    do to it (checksum, segments): a super-packet of 64 KiB passes as one.
 * 2. It may be lost there and then, or find the queue of the rate full; else it is given the time at which it is due.
 * 3. When it is due it is written to the other side.
 *
 * Commands are lines on standard input, each answered by one line; the end of the input is the end of the program, and the
 * end of the program is that of the namespace with the interfaces in it.
 *
 *   open                                          begins to carry: "ok"
 *   shape up|down DELAY_US LOSS_PPM KBIT QUEUE    of a direction (KBIT 0: as fast as can be; QUEUE in bytes): "ok"
 *   hole up|down 0|1                              swallows all that enters, or no more: "ok"
 *   seed NUMBER                                   begins the sequence of losses anew, in both directions: "ok"
 *   count                                         JSON: frames and bytes of each direction since the program began
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  MAX_FRAME = 128 << 10,   /* a super-packet and its headers */
  MAX_FRAMES = 16384,      /* on the way in one direction: 80 ms of 2.4 Gbit/s in frames of 1500 bytes */
  SOCKET_BYTES = 64 << 20, /* what waits while this program does not run */
  BURST = 32,              /* frames of one direction before the other has its turn */
  TICK_NS = 200000         /* of a way with a delay or a rate: what comes and goes meanwhile costs one wake-up */
};

struct frame {
  uint64_t due; /* on the monotonic clock, in nanoseconds */
  uint32_t bytes;
  uint32_t slot; /* where they are */
};

struct direction {
  const char *name;
  int from, to; /* packet sockets */
  /* Settings. */
  uint64_t delay, queue_bytes, kbit;
  uint32_t loss_ppm;
  int is_hole;
  /* State. */
  uint64_t random;
  uint64_t departs; /* when the last frame has left the queue of the rate */
  struct frame frames[MAX_FRAMES]; /* a ring */
  uint32_t first, count;
  uint8_t *slots;            /* each of MAX_FRAME bytes, of which the kernel gives what is written to */
  uint32_t free[MAX_FRAMES]; /* what was used last is used next: it is still in the processor's cache */
  uint32_t free_count;
  /* Counts, in frames unless told. */
  uint64_t passed, passed_bytes, lost, tail_dropped, swallowed, failed;
};

static struct direction up = {.name = "up", .from = -1, .to = -1, .random = 1};
static struct direction down = {.name = "down", .from = -1, .to = -1, .random = 2};

static __attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "wan: ");
  vfprintf(stderr, format, args);
  fprintf(stderr, ": %s\n", strerror(errno));
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* splitmix64: neighbouring seeds begin far from each other. Never 0, which xorshift would not leave. */
static uint64_t scatter(uint64_t seed) {
  uint64_t z = (seed + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return (z ^ z >> 31) | 1;
}

/* xorshift64*: the same losses for the same frames and seed. */
static int is_lost(struct direction *way) {
  if (way->loss_ppm == 0) return 0;
  way->random ^= way->random >> 12;
  way->random ^= way->random << 25;
  way->random ^= way->random >> 27;
  return (way->random * 0x2545f4914f6cdd1d >> 32) % 1000000 < way->loss_ppm;
}

/* When a frame that comes at `now` has left the queue of the rate; 0 if it finds no room in it. */
static uint64_t departure(struct direction *way, uint64_t now, uint64_t bytes) {
  if (way->kbit == 0) return now;
  uint64_t begins = way->departs > now ? way->departs : now;
  uint64_t waiting_bytes = (begins - now) * way->kbit / 8000000;
  if (waiting_bytes + bytes > way->queue_bytes) return 0;
  return way->departs = begins + bytes * 8000000 / way->kbit;
}

/* @returns how many frames were read */
static int take_in(struct direction *way) {
  static uint8_t scratch[MAX_FRAME];
  int count = 0;
  for (; count < BURST; count++) {
    int is_full = way->free_count == 0;
    uint32_t slot = is_full ? 0 : way->free[way->free_count - 1];
    uint8_t *into = is_full ? scratch : way->slots + (size_t)slot * MAX_FRAME;
    ssize_t size = recv(way->from, into, MAX_FRAME, MSG_DONTWAIT | MSG_TRUNC);
    /* EINVAL: a kind of super-packet that the header can't tell. Else nothing is there, or the interface has gone. */
    if (size < 0 && errno != EINVAL) break;
    if (size <= (ssize_t)sizeof(struct virtio_net_hdr) || size > MAX_FRAME) {
      way->failed++;
    } else if (way->is_hole) {
      way->swallowed++;
    } else if (is_lost(way)) {
      way->lost++;
    } else if (is_full) {
      way->failed++;
    } else {
      uint64_t departs = departure(way, now_ns(), (uint64_t)size - sizeof(struct virtio_net_hdr));
      if (departs == 0) {
        way->tail_dropped++;
        continue;
      }
      struct frame *frame = &way->frames[(way->first + way->count++) % MAX_FRAMES];
      *frame = (struct frame){.due = departs + way->delay, .bytes = (uint32_t)size, .slot = slot};
      way->free_count--;
    }
  }
  return count;
}

/* @returns when the next frame is due, UINT64_MAX if there is none, 0 if one is due that the other side does not take yet */
static uint64_t let_out(struct direction *way) {
  uint64_t now = now_ns();
  for (int count = 0; way->count > 0; count++) {
    struct frame *frame = &way->frames[way->first];
    if (frame->due > now) return frame->due;
    if (count == BURST) return now;
    if (send(way->to, way->slots + (size_t)frame->slot * MAX_FRAME, frame->bytes, MSG_DONTWAIT) >= 0) {
      way->passed++;
      way->passed_bytes += frame->bytes - sizeof(struct virtio_net_hdr);
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      return 0;
    } else {
      way->failed++;
    }
    way->free[way->free_count++] = frame->slot;
    way->first = (way->first + 1) % MAX_FRAMES;
    way->count--;
  }
  return UINT64_MAX;
}

static void open_slots(struct direction *way) {
  const size_t bytes = (size_t)MAX_FRAMES * MAX_FRAME;
  way->slots = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (way->slots == MAP_FAILED) die("Cannot have the memory of a queue");
  for (uint32_t slot = 0; slot < MAX_FRAMES; slot++) way->free[way->free_count++] = MAX_FRAMES - 1 - slot;
}

static int open_interface(const char *name) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) die("Cannot open a packet socket");
  int on = 1, bytes = SOCKET_BYTES;
  if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0) {
    die("Cannot prepare a packet socket");
  }
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
  if (address.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    die("Cannot use the interface \"%s\"", name);
  }
  return fd;
}

static struct direction *direction_named(const char *name) {
  return strcmp(name, "up") == 0 ? &up : strcmp(name, "down") == 0 ? &down : NULL;
}

static void say_counts(const struct direction *way) {
  struct tpacket_stats missed = {0};
  socklen_t size = sizeof missed;
  static uint64_t unread[2]; /* reading them sets them back */
  if (way->from >= 0) getsockopt(way->from, SOL_PACKET, PACKET_STATISTICS, &missed, &size);
  uint64_t *sum = &unread[way == &down];
  *sum += missed.tp_drops;
  printf("\"%s\":{\"passed\":%ju,\"bytes\":%ju,\"lost\":%ju,\"tailDropped\":%ju,\"swallowed\":%ju,\"failed\":%ju}",
         way->name, (uintmax_t)way->passed, (uintmax_t)way->passed_bytes, (uintmax_t)way->lost,
         (uintmax_t)way->tail_dropped, (uintmax_t)way->swallowed,
         (uintmax_t)(way->failed + *sum));
}

static void obey(const char *line) {
  char name[8];
  uint64_t a, b, c, d;
  struct direction *way;
  if (strcmp(line, "open") == 0) {
    up.from = down.to = open_interface("laptop");
    down.from = up.to = open_interface("node");
  } else if (sscanf(line, "shape %7s %ju %ju %ju %ju", name, &a, &b, &c, &d) == 5 && (way = direction_named(name))) {
    way->delay = a * 1000;
    way->loss_ppm = (uint32_t)b;
    way->kbit = c;
    way->queue_bytes = d;
  } else if (sscanf(line, "hole %7s %ju", name, &a) == 2 && (way = direction_named(name))) {
    way->is_hole = a != 0;
  } else if (sscanf(line, "seed %ju", &a) == 1) {
    up.random = scatter(2 * a);
    down.random = scatter(2 * a + 1);
  } else if (strcmp(line, "count") == 0) {
    printf("{");
    say_counts(&up);
    printf(",");
    say_counts(&down);
    printf("}\n");
    return;
  } else {
    printf("unknown command\n");
    return;
  }
  printf("ok\n");
}

/* Commands come whole or in pieces. @returns 0 at the end of the input */
static int take_commands(void) {
  static char text[4096];
  static size_t length;
  ssize_t size = read(0, text + length, sizeof text - 1 - length);
  if (size <= 0) return size < 0 && errno == EINTR;
  length += (size_t)size;
  text[length] = 0;
  char *line = text, *end;
  while ((end = strchr(line, '\n'))) {
    *end = 0;
    obey(line);
    line = end + 1;
  }
  length -= (size_t)(line - text);
  memmove(text, line, length);
  return 1;
}

/* No address of its own: the interfaces' kernel says nothing of itself. */
static void enter_namespace(void) {
  if (unshare(CLONE_NEWNET) < 0) die("Cannot make a network namespace");
  for (int i = 0; i < 2; i++) {
    const char *path = i ? "/proc/sys/net/ipv6/conf/all/disable_ipv6" : "/proc/sys/net/ipv6/conf/default/disable_ipv6";
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "1", 1) < 1) die("Cannot write %s", path);
    if (fd >= 0) close(fd);
  }
}

/* Whether both ways have what makes a tick unnoticed. */
static int is_slow(void) {
  return (up.delay >= 10 * TICK_NS || up.kbit > 0) && (down.delay >= 10 * TICK_NS || down.kbit > 0);
}

static void sleep_to_tick(void) {
  uint64_t next = (now_ns() / TICK_NS + 1) * TICK_NS;
  struct timespec time = {.tv_sec = (time_t)(next / 1000000000), .tv_nsec = (long)(next % 1000000000)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

int main(void) {
  struct direction *ways[] = {&up, &down};
  enter_namespace();
  setvbuf(stdout, NULL, _IOLBF, 0);
  /* Frames are due to the microsecond, also beside a busy neighbour. */
  prctl(PR_SET_TIMERSLACK, 1UL);
  setpriority(PRIO_PROCESS, 0, -20);
  for (int i = 0; i < 2; i++) open_slots(ways[i]);
  printf("ready\n");
  for (;;) {
    uint64_t next = UINT64_MAX;
    int is_busy = 0;
    short wanted[2] = {POLLIN, POLLIN};
    for (int i = 0; i < 2; i++) {
      int count = ways[i]->from < 0 ? 0 : take_in(ways[i]);
      if (count == BURST) next = 0;
      if (count > 0) is_busy = 1;
    }
    for (int i = 0; i < 2; i++) {
      uint64_t due = let_out(ways[i]);
      if (due == 0) wanted[!i] |= POLLOUT; /* the socket of the other direction's reader */
      else if (due < next) next = due;
    }
    if (is_slow() && is_busy && next > 0) sleep_to_tick();
    struct pollfd sockets[3] = {
        {.fd = up.from, .events = wanted[0]}, {.fd = down.from, .events = wanted[1]}, {.fd = 0, .events = POLLIN}};
    uint64_t now = now_ns(), wait = next > now ? next - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(wait / 1000000000), .tv_nsec = (long)(wait % 1000000000)};
    if (ppoll(sockets, 3, next == UINT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR) die("Cannot wait");
    if (sockets[2].revents && !take_commands()) return 0;
  }
}
