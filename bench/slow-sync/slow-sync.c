/* A disk that takes SLOW_SYNC_USECS longer to sync: by LD_PRELOAD, for whoever calls fsync or fdatasync. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slowly(const char *name, int fd) {
  const char *usecs = getenv("SLOW_SYNC_USECS");
  if (usecs) usleep((useconds_t)atoi(usecs));
  return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }
