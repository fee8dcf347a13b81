/*
 * Asks for names as programs do. Of each line of standard input:
 *
 *   host NAME        what getaddrinfo gives: "host NAME: ADDRESS..." or "host NAME: !" with its error
 *   TYPE NAME        the number of a record type: the nameserver's answer, "TYPE NAME: HEX", or "TYPE NAME: !"
 *
 * The name is taken as it stands: `host` searches the domains of resolv.conf, the other asks the first nameserver there.
 * With an argument, an answer is how many microseconds it took.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_timed;

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void print_addresses(const struct addrinfo *found) {
  for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
    char text[INET6_ADDRSTRLEN] = "?";
    const void *address = one->ai_family == AF_INET
        ? (const void *)&((struct sockaddr_in *)one->ai_addr)->sin_addr
        : (const void *)&((struct sockaddr_in6 *)one->ai_addr)->sin6_addr;
    inet_ntop(one->ai_family, address, text, sizeof text);
    printf(" %s", text);
  }
  printf("\n");
}

static void ask_host(const char *name) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  double started_us = now_us();
  int code = getaddrinfo(name, NULL, &hints, &found);
  double took_us = now_us() - started_us;
  printf("host %s:", name);
  if (is_timed) printf(" %.1f\n", took_us);
  else if (code != 0) printf(" !%d %s\n", code, gai_strerror(code));
  else print_addresses(found);
  if (code == 0) freeaddrinfo(found);
}

static void ask_nameserver(struct __res_state *state, int type,
                           const char *name) {
  static unsigned char query[512], answer[65536];
  double started_us = now_us();
  int length = res_nmkquery(state, ns_o_query, name, ns_c_in, type, NULL, 0,
                            NULL, query, sizeof query);
  if (length > 0) length = res_nsend(state, query, length, answer, sizeof answer);
  double took_us = now_us() - started_us;
  printf("%d %s:", type, name);
  if (length <= 0) printf(" !");
  else if (is_timed) printf(" %.1f", took_us);
  else printf(" ");
  for (int i = 0; i < length && !is_timed; i++) printf("%02x", answer[i]);
  printf("\n");
}

int main(int argc, char **argv) {
  (void)argv;
  is_timed = argc > 1;
  struct __res_state state = {0};
  if (res_ninit(&state) != 0) return 1;
  char line[1024];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = 0;
    char *space = strchr(line, ' ');
    if (space == NULL) return 2;
    *space = 0;
    if (strcmp(line, "host") == 0) ask_host(space + 1);
    else ask_nameserver(&state, atoi(line), space + 1);
    fflush(stdout);
  }
  return 0;
}
