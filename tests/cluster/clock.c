/**
 * Preloaded into processes whose clock shall be wrong: the time of day that they are told is off by so many seconds as
 * CLOCK_OFFSET says, else the file /etc/clock-offset at the moment. All clocks are ahead by what /etc/clock-passed says:
 * so much time has passed at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long seconds_in(const char *path) {
  int saved = errno;
  char text[32] = "";
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
    close(file);
  }
  errno = saved;
  return atol(text);
}

static long offset_seconds(void) {
  const char *set = getenv("CLOCK_OFFSET");
  return set ? atol(set) : seconds_in("/etc/clock-offset");
}

/** Asked for often: the file is looked at once in a while. */
static long passed_seconds(void) {
  static _Atomic long passed, countdown;
  if (--countdown < 0) {
    countdown = 100;
    passed = seconds_in("/etc/clock-passed");
  }
  return passed;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = (int)syscall(SYS_clock_gettime, clock, now);
  if (failed) return failed;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
    now->tv_sec += offset_seconds();
  }
  if (clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID) {
    now->tv_sec += passed_seconds();
  }
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *now) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (now) *now = exact.tv_sec;
  return exact.tv_sec;
}
