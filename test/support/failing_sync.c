// Copyright 2026 edgetpu_retrain contributors
// SPDX-License-Identifier: Apache-2.0
//
// Makes flushing a write-ahead log fail, as on a failing disk: the data are in the file
// nevertheless.  For LD_PRELOAD.  The environment variable FAILING_SYNC is the path of a file; while
// it exists, each flush of a file whose name ends with "-wal" fails with EIO.  If its content begins
// with "once", the first such flush removes it.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int descriptor) {
  char link[64], path[4096], content[8] = "";
  const char *control = getenv("FAILING_SYNC");
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path);
  if (control == NULL || length < 4 || memcmp(path + length - 4, "-wal", 4) != 0) return 0;
  FILE *file = fopen(control, "r");
  if (file == NULL) return 0;
  const size_t read = fread(content, 1, sizeof content - 1, file);
  fclose(file);
  if (read >= 4 && memcmp(content, "once", 4) == 0) unlink(control);
  errno = EIO;
  return 1;
}

int fsync(int descriptor) {
  if (fails(descriptor)) return -1;
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return real(descriptor);
}

int fdatasync(int descriptor) {
  if (fails(descriptor)) return -1;
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return real(descriptor);
}
