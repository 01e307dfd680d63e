/* `#pragma omp parallel for` over the Web Workers of one page, which share the memory: the few functions of OpenMP's
run-time library that clang calls for the loops of the other sources.

A loop is cut into shares, several for each thread. The thread that comes to the loop takes shares until none is left,
and so does every other thread that is awake; then it waits for those that are under way. So a thread that is late, or
that the system has stopped, holds nobody up for longer than a share.
*/
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SHARES 4       /* of a loop, for each thread */
#define MOST_VALUES 16 /* that the body of a loop reads */
#define SPINS 2000     /* looks at a counter before a thread sleeps */
#define FOREVER -1

typedef void body(void);

static struct {
  body *body;
  int count;
  void *values[MOST_VALUES];
} loop;

static int shares = 1;     /* of a loop */
static int alone = 0;      /* whether a loop runs as one share */
static atomic_int next = 1; /* share that nobody has taken */
static atomic_int done;    /* shares */
static atomic_int turn;    /* counts the loops */
static atomic_int asleep;  /* threads */
static atomic_int failed;

static void sleep_while(atomic_int *counter, int value) {
  __builtin_wasm_memory_atomic_wait32((int *)counter, value, FOREVER);
}

static void wake(atomic_int *counter) { __builtin_wasm_memory_atomic_notify((int *)counter, INT_MAX); }

/* -- the body of a loop ---------------------------------------------------------------------------------------- */

/* WebAssembly knows a function by the exact number of its arguments, so there is a call for each. */
#define TYPES_1 void *
#define TYPES_2 TYPES_1, void *
#define TYPES_3 TYPES_2, void *
#define TYPES_4 TYPES_3, void *
#define TYPES_5 TYPES_4, void *
#define TYPES_6 TYPES_5, void *
#define TYPES_7 TYPES_6, void *
#define TYPES_8 TYPES_7, void *
#define TYPES_9 TYPES_8, void *
#define TYPES_10 TYPES_9, void *
#define TYPES_11 TYPES_10, void *
#define TYPES_12 TYPES_11, void *
#define TYPES_13 TYPES_12, void *
#define TYPES_14 TYPES_13, void *
#define TYPES_15 TYPES_14, void *
#define TYPES_16 TYPES_15, void *
#define VALUES_1 loop.values[0]
#define VALUES_2 VALUES_1, loop.values[1]
#define VALUES_3 VALUES_2, loop.values[2]
#define VALUES_4 VALUES_3, loop.values[3]
#define VALUES_5 VALUES_4, loop.values[4]
#define VALUES_6 VALUES_5, loop.values[5]
#define VALUES_7 VALUES_6, loop.values[6]
#define VALUES_8 VALUES_7, loop.values[7]
#define VALUES_9 VALUES_8, loop.values[8]
#define VALUES_10 VALUES_9, loop.values[9]
#define VALUES_11 VALUES_10, loop.values[10]
#define VALUES_12 VALUES_11, loop.values[11]
#define VALUES_13 VALUES_12, loop.values[12]
#define VALUES_14 VALUES_13, loop.values[13]
#define VALUES_15 VALUES_14, loop.values[14]
#define VALUES_16 VALUES_15, loop.values[15]
#define CALL(N) \
  case N: ((void (*)(int *, int *, TYPES_##N))loop.body)(&share, &share, VALUES_##N); break

static void run(int share) {
  switch (loop.count) {
    CALL(1);
    CALL(2);
    CALL(3);
    CALL(4);
    CALL(5);
    CALL(6);
    CALL(7);
    CALL(8);
    CALL(9);
    CALL(10);
    CALL(11);
    CALL(12);
    CALL(13);
    CALL(14);
    CALL(15);
    CALL(16);
    default: abort();
  }
}

/* Runs shares until all are taken. A share is taken before the loop is read: a late thread reads the next loop. */
static void help(void) {
  for (int share; (share = atomic_fetch_add(&next, 1)) < shares;) {
    run(share);
    if (atomic_fetch_add(&done, 1) + 1 == shares) wake(&done);
  }
}

/* -- threads --------------------------------------------------------------------------------------------------- */

/* Cuts the loops for `count` threads. */
void onlybn_threads(int count) { next = shares = count > 1 ? SHARES * count : 1; }

/* What a thread does: it helps with every loop, and never returns. */
void onlybn_help(void) {
  for (;;) {
    int seen = turn;
    help();
    for (int spins = 0; turn == seen; spins++) {
      if (spins < SPINS) continue;
      asleep++;
      sleep_while(&turn, seen);
      asleep--;
    }
  }
}

/* A thread that has trapped says so: its share will never be done. */
void onlybn_fail(void) {
  failed = 1;
  done = shares;
  wake(&done);
}

/* -- what clang calls ------------------------------------------------------------------------------------------ */

/* The first argument of all: the place in the source. */
typedef const void Place;

void __kmpc_fork_call(Place *place, int count, body *body, ...) {
  va_list values;
  if (count > MOST_VALUES) abort();
  va_start(values, body);
  for (int i = 0; i < count; i++) loop.values[i] = va_arg(values, void *);
  va_end(values);
  loop.body = body;
  loop.count = count;
  if (shares == 1) {
    run(0);
    return;
  }
  done = 0;
  next = 0;
  turn++;
  if (asleep) wake(&turn);
  help();
  for (int spins = 0; done < shares; spins++) {
    int seen = done;
    if (spins >= SPINS && seen < shares) sleep_while(&done, seen);
  }
  if (failed) abort();
}

/* Places `lower` to `upper` of a loop, both included -> those of one share. `step` is 1: clang counts its loops so. */
#define SHARE_OF(NAME, TYPE)                                                                                     \
  void NAME(Place *place, int share, int schedule, int *last, TYPE *lower, TYPE *upper, TYPE *stride, TYPE step, \
            TYPE chunk) {                                                                                        \
    long long count = *upper - *lower + 1, all = alone ? 1 : shares, first = *lower;                             \
    *last = share == all - 1;                                                                                    \
    *lower = first + count * share / all;                                                                        \
    *upper = first + count * (share + 1) / all - 1;                                                              \
    *stride = count;                                                                                             \
  }
SHARE_OF(__kmpc_for_static_init_4, int)
SHARE_OF(__kmpc_for_static_init_8, long long)

void __kmpc_for_static_fini(Place *place, int share) {}

int __kmpc_global_thread_num(Place *place) { return 0; }

void __kmpc_serialized_parallel(Place *place, int share) { alone = 1; }

void __kmpc_end_serialized_parallel(Place *place, int share) { alone = 0; }

void __kmpc_critical(Place *place, int share, atomic_int *lock) {
  while (atomic_exchange(lock, 1)) continue;
}

void __kmpc_end_critical(Place *place, int share, atomic_int *lock) { *lock = 0; }
