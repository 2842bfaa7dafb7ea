/* A process whose heap is walked from another one.

   target THREADS BLOCKS [main] [wall] [mapped] [busy]
     THREADS  each takes BLOCKS (a multiple of 8) blocks of about 4 KiB and four times as many small ones, writes them all, and frees a quarter
              of the blocks, in runs of 8
     main     the first thread does the same, in the main arena
     wall     the main arena's [heap] cannot grow beyond its first MiB: it goes on in mappings
     mapped   takes 24 blocks of 1 MiB, 5 MiB and 300 KiB, one of them aligned to 4096
     busy     the threads go on to free and take until the end

   Prints `ready` when all is as it should be. Then each line of input is a question: `info` has malloc_info printed and a
   line `end`, `trim` has malloc_trim(0) called and `trimmed` printed. Ends with its input. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t blocks;
static int busy;
static pthread_barrier_t done;

static uint64_t next(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return *seed >> 33;
}

static void *taken(size_t size) {
  void *block = malloc(size);
  if (!block) abort();
  memset(block, 0xa5, size);
  return block;
}

static void fill(uint64_t seed, void **block, void **small) {
  for (size_t i = 0; i < blocks; i += 8) {
    for (size_t j = i; j < i + 8; j++) block[j] = taken(3700 + next(&seed) % 400);
    for (size_t j = 4 * i; j < 4 * i + 32; j++) small[j] = taken(24 + next(&seed) % 72);
  }
  for (size_t i = 0; i < blocks; i++)
    if (i % 32 < 8) {
      free(block[i]);
      block[i] = NULL;
    }
}

static void *work(void *argument) {
  uint64_t seed = (uintptr_t)argument;
  void **block = mmap(NULL, 5 * blocks * sizeof(void *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) abort();
  fill(seed, block, block + blocks);
  pthread_barrier_wait(&done);
  while (busy) {
    size_t i = next(&seed) % blocks;
    free(block[i]);
    block[i] = next(&seed) % 2 ? taken(100 + next(&seed) % 40000) : NULL;
  }
  for (;;) pause();
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  size_t threads = strtoul(arguments[1], NULL, 10);
  blocks = strtoul(arguments[2], NULL, 10);
  int of_main = 0;
  for (int i = 3; i < count; i++) {
    if (!strcmp(arguments[i], "main")) of_main = 1;
    if (!strcmp(arguments[i], "busy")) busy = 1;
    if (!strcmp(arguments[i], "wall")) {
      char *end = (char *)(((uintptr_t)sbrk(0) + 4095) / 4096 * 4096);
      if (mmap(end + (1 << 20), 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) return 1;
    }
    if (!strcmp(arguments[i], "mapped")) {
      for (int j = 0; j < 8; j++) {
        taken(1 << 20);
        taken(5 << 20);
        if (j) taken(300 << 10);
      }
      void *aligned = NULL;
      if (posix_memalign(&aligned, 4096, 300 << 10)) return 1;
      memset(aligned, 1, 300 << 10);
    }
  }
  pthread_barrier_init(&done, NULL, threads + 1);
  for (size_t i = 0; i < threads; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, (void *)(uintptr_t)(i + 1))) return 1;
  }
  if (of_main) {
    void **block = mmap(NULL, 5 * blocks * sizeof(void *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fill(4711, block, block + blocks);
  }
  pthread_barrier_wait(&done);
  char line[16];
  setvbuf(stdin, NULL, _IONBF, 0);
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    if (!strcmp(line, "info\n")) {
      malloc_info(0, stdout);
      puts("end");
    }
    if (!strcmp(line, "trim\n")) {
      malloc_trim(0);
      puts("trimmed");
    }
    fflush(stdout);
  }
  return 0;
}
