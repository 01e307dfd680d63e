/* What the convolutions share: how they read, multiply, store and sum up. Each can do a step before it and a step after
it in the same pass.

Blocks of lines and their sums do not depend on the number of threads, so neither does any bit of the result.
*/
#pragma once
#include <stdlib.h>

#include "norm.h"

#define SUMS 5 /* rows of sums of a block */

/* Pixels that are multiplied together: with two vectors of outputs each, they fill the registers. */
#if W == 16
#define ROWS 12
#elif defined(__wasm__) /* 16 registers of 4 floats */
#define ROWS 3
#else
#define ROWS 6
#endif

/* Keeps the compiler from reading the value anew for each product. */
#if (W == 16 && defined(__AVX512F__)) || (W == 8 && defined(__AVX2__))
#define IN_REGISTER(v) __asm__("" : "+v"(v))
#else
#define IN_REGISTER(v)
#endif

enum before { AS_IS, NORMALISED, RESIDUAL, GRADIENT };
enum after { NOTHING, STATISTICS, GRADIENTS };

/* A convolution with one pixel of padding where `kernel` is 3 and none where it is 1; or, if `transposed`, the backward
pass through one, where the input's pixels lie `stride` apart in the output. `weights`: as the function of the same name
with _weights makes them.

`before` says what is convolved. AS_IS: the input. NORMALISED: relu(input * scale + shift) with the rows of `stat`.
RESIDUAL: the same with `other` added before the ReLU; `other` is scaled too if there is `other_stat`, and the result is
stored in `applied`. GRADIENT: the input is the gradient of a norm layer's output, and the gradient of that layer's
convolution is convolved (see norm.h). Winograd's convolutions, which read every row, also store what the backward pass
needs of that layer: `applied_signs` gets the signs of the ReLU, `applied_bytes` the normalised input in 8 bits, rounded
by `seed`; either may be null.

`after` says what happens to the output besides being stored. STATISTICS: it goes into the statistics of `norm`.
GRADIENTS: it is the gradient from which `gradients` is computed; then the stored values have passed back through the
ReLU, and the output may be `gradients->second`. */
struct convolution {
  long images, height, width, inputs, out_height, out_width, outputs;
  const void *input;
  const float *weights;
  void *output;
  const float *stat, *factors, *other_stat;
  const void *saved, *other;
  void *applied;
  mask *applied_signs;
  int8_t *applied_bytes;
  const mask *signs;
  const struct norm *norm;
  const struct gradients *gradients;
  int kind, before, after, saved_kind, relu;
  int kernel, stride, transposed;
  uint32_t seed;
};

/* Outputs that are computed together. */
static inline long panel_of(long outputs) { return outputs % (2 * W) ? W : 2 * W; }

static inline long rounded_up(long bytes) { return (bytes + 63) / 64 * 64; }

static inline void *allocated(long bytes) {
  void *memory = aligned_alloc(64, rounded_up(bytes));
  if (!memory) abort();
  return memory;
}

/* Memory that this thread keeps from call to call. */
static inline void *scratch(long bytes) {
  static __thread void *kept;
  static __thread long size;
  if (size < bytes) {
#pragma omp critical(memory) /* in browsers, malloc knows no threads */
    {
      free(kept);
      kept = allocated(bytes);
    }
    size = bytes;
    memset(kept, 0, bytes); /* padding tiles are multiplied, too */
  }
  return kept;
}

/* -- reading --------------------------------------------------------------------------------------------------- */

/* Reads one row of pixels of the convolution's input; `at` is the place of its first value. `own`: whether this block
stores what is applied. */
INLINE void read_row(const struct convolution *l, long at, float *to, int own, int kind, int before, int saved_kind) {
  /* Read from `l` once: the compiler must assume that every store may change `*l`. */
  const void *input = l->input, *saved = l->saved, *other = l->other;
  void *applied = own ? l->applied : NULL;
  mask *applied_signs = own ? l->applied_signs : NULL;
  int8_t *applied_bytes = own ? l->applied_bytes : NULL;
  const mask *signs = l->signs;
  const float *stat = l->stat, *other_stat = l->other_stat, *factors = l->factors;
  long inputs = l->inputs, width = l->width;
  uint32_t seed = l->seed;
  int relu = l->relu;
  for (long c = 0; c < inputs; c += W) {
    U random = {0};
    struct fine fine = {0};
    V scale = {0}, shift = {0}, first = {0}, second = {0}, third = {0};
    if (before != AS_IS) scale = load_floats(stat + SCALE * inputs + c), shift = load_floats(stat + SHIFT * inputs + c);
    if (before == RESIDUAL && other_stat) {
      first = load_floats(other_stat + SCALE * inputs + c);
      second = load_floats(other_stat + SHIFT * inputs + c);
    }
    if (applied_bytes) fine = fine_of(stat, inputs, c);
    if (before == GRADIENT) {
      first = load_floats(factors + c), second = load_floats(factors + inputs + c);
      third = load_floats(factors + 2 * inputs + c);
    }
    for (long pixel = 0; pixel < width; pixel++) {
      long place = at + pixel * inputs + c;
      V v = load(input, place, kind);
      if (before == NORMALISED || before == RESIDUAL) {
        if (applied_bytes) {
          random = pixel % 4 ? random >> 8 : hash(seed, place);
          store_bytes(applied_bytes + place, in_8_bits(v, fine, random));
        }
        v = normalised(v, scale, shift);
        if (before == RESIDUAL) v = with_residual(v, load(other, place, kind), first, second, other_stat != NULL);
        if (applied_signs) applied_signs[place / W] = bits((I)(v > 0));
        v = clamp(v);
        if (before == RESIDUAL && applied) store(applied, place, v, kind);
      }
      if (before == GRADIENT) {
        V x = load(saved, place, saved_kind);
        v = through(v, x, scale, shift, signs, place, relu) * first + x * second + third;
      }
      store_floats(to + pixel * inputs + c, v);
    }
  }
}

/* Row y of an image with its padding: `span` pixels, zero outside the image. */
static inline void pad_row(const struct convolution *l, long image, long y, long span, int own, float *to) {
  if (y < 0 || y >= l->height) {
    memset(to, 0, sizeof(float) * span * l->inputs);
    return;
  }
  long at = (image * l->height + y) * l->width * l->inputs;
  memset(to, 0, sizeof(float) * l->inputs);
  memset(to + (l->width + 1) * l->inputs, 0, sizeof(float) * (span - l->width - 1) * l->inputs);
  to += l->inputs;
  if (l->kind == FLOAT && l->before == AS_IS) {
    memcpy(to, (const float *)l->input + at, sizeof(float) * l->width * l->inputs);
    return;
  }
#define READ(KIND, BEFORE, SAVED) read_row(l, at, to, own, KIND, BEFORE, SAVED)
#define READ_GRADIENT(KIND)                                   \
  if (l->saved_kind == BYTE) READ(KIND, GRADIENT, BYTE);      \
  else READ(KIND, GRADIENT, FLOAT)
  if (l->before == NORMALISED) {
    READ(FLOAT, NORMALISED, FLOAT);
  } else if (l->before == RESIDUAL) {
    READ(FLOAT, RESIDUAL, FLOAT);
  } else if (l->before == AS_IS) {
    READ(BFLOAT, AS_IS, FLOAT); /* floats were copied */
  } else if (l->kind == FLOAT) {
    READ_GRADIENT(FLOAT);
  } else {
    READ_GRADIENT(BFLOAT);
  }
#undef READ_GRADIENT
#undef READ
}

/* Memory that is read or written soon. It is fetched `each` bytes at a time during the products, which need none. */
struct ahead {
  struct {
    const char *next, *end;
    long each;
  } streams[8];
  int count;
  long times; /* how often `fetch` is called */
};

static inline void soon(struct ahead *ahead, const void *data, int kind, long first, long last) {
  long size = kind == FLOAT ? 4 : kind == BFLOAT ? 2 : 1, bytes = (last - first) * size;
  if (!data || last <= first) return;
  const char *from = (const char *)data + first * size;
  ahead->streams[ahead->count].next = from, ahead->streams[ahead->count].end = from + bytes;
  ahead->streams[ahead->count++].each = rounded_up(bytes / ahead->times + 1);
}

static inline void fetch(struct ahead *ahead) {
  for (int i = 0; i < ahead->count; i++) {
    const char *at = ahead->streams[i].next, *stop = at + ahead->streams[i].each;
    if (stop > ahead->streams[i].end) stop = ahead->streams[i].end;
    for (; at < stop; at += 64) __builtin_prefetch(at, 0, 2);
    ahead->streams[i].next = at;
  }
}

/* -- products -------------------------------------------------------------------------------------------------- */

/* R pixels x K vectors of outputs: the sum over the taps of values x weights. The pixels lie `step` apart in `values`,
`to_step` in `to`. */
INLINE void multiply(const float *const *values, const float *const *weights, int taps, long step, long inputs,
                     float *to, long to_step, int R, int K) {
  V sums[ROWS][2];
#pragma GCC unroll 16
  for (int row = 0; row < R; row++)
#pragma GCC unroll 2
    for (int k = 0; k < K; k++) sums[row][k] = (V){0};
#pragma GCC unroll 1
  for (int tap = 0; tap < taps; tap++) {
    const float *value = values[tap], *weight = weights[tap];
#pragma GCC unroll 1
    for (long c = 0; c < inputs; c++) {
      V factors[2];
#pragma GCC unroll 2
      for (int k = 0; k < K; k++) {
        factors[k] = load_floats(weight + (c * K + k) * W);
        IN_REGISTER(factors[k]);
      }
#pragma GCC unroll 16
      for (int row = 0; row < R; row++) {
        V v = splat(value[row * step + c]);
#pragma GCC unroll 2
        for (int k = 0; k < K; k++) sums[row][k] += v * factors[k];
      }
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < R; row++)
#pragma GCC unroll 2
    for (int k = 0; k < K; k++) store_floats(to + row * to_step + k * W, sums[row][k]);
}

/* -- output ---------------------------------------------------------------------------------------------------- */

/* The sums of W channels. STATISTICS: of (y - centre) and its square, and the least and the largest y; GRADIENTS: of g,
of g * x_hat, and of g * the other layer's x_hat. */
struct sums {
  V a, b, c, centre, low, high;
  int begun;
};

/* The values of `gradients` for W channels, and copies of pointers. The compiler would otherwise read these again after
every store, which might have changed them. */
struct terms {
  V scale, shift, alpha, delta, other_alpha, other_delta;
  const void *saved, *second, *other;
  const mask *signs;
  void *output;
  int relu, lean;
};

INLINE struct terms terms_of(const struct convolution *l, long c, int after) {
  struct terms t = {.output = l->output, .lean = after == STATISTICS && l->norm->lean};
  if (after != GRADIENTS) return t;
  const struct gradients *g = l->gradients;
  t.saved = g->saved, t.second = g->second, t.other = g->other, t.signs = g->signs, t.relu = g->relu;
  t.scale = load_floats(g->stat + SCALE * l->outputs + c), t.shift = load_floats(g->stat + SHIFT * l->outputs + c);
  t.alpha = load_floats(g->stat + ALPHA * l->outputs + c), t.delta = load_floats(g->stat + DELTA * l->outputs + c);
  if (g->other) {
    t.other_alpha = load_floats(g->other_stat + ALPHA * l->outputs + c);
    t.other_delta = load_floats(g->other_stat + DELTA * l->outputs + c);
  }
  return t;
}

/* Stores W values of the output, `v`, at their place, and adds them to the sums `a`, `b` and `c`. */
INLINE void put(const struct terms *t, long place, V v, struct sums *sums, V *a, V *b, V *c, int kind, int after,
                int saved_kind) {
  V saved = {0};
  if (after == GRADIENTS) {
    saved = load(t->saved, place, saved_kind);
    if (t->second) v += load(t->second, place, kind);
    v = through(v, saved, t->scale, t->shift, t->signs, place, t->relu);
  }
  store(t->output, place, v, kind);
  if (after == GRADIENTS && kind == BFLOAT) v = load(t->output, place, kind); /* as later reads see it */
  if (after == GRADIENTS) {
    *a += v;
    *b += v * (saved * t->alpha + t->delta);
    if (t->other) *c += v * (load(t->other, place, saved_kind) * t->other_alpha + t->other_delta);
  }
  if (after == STATISTICS) {
    V d = v - sums->centre;
    *a += d;
    *b += d * d;
    if (t->lean) sums->low = lesser(v, sums->low), sums->high = greater(v, sums->high);
  }
}

/* Call it before the first value of W channels is put. */
INLINE void begin(struct sums *sums, V first, int after) {
  if (after == STATISTICS && !sums->begun) sums->centre = sums->low = sums->high = first, sums->begun = 1;
}

/* Copies the sums of W channels of a block, from channel `c` on, into its `totals`, which have SUMS rows. */
INLINE void keep(const struct convolution *l, const struct sums *sums, double *totals, long c, int after) {
  if (after == NOTHING) return;
  double *to = totals + c;
  for (int i = 0; i < W; i++, to++) {
    to[0] = after == STATISTICS ? sums->centre[i] : sums->c[i];
    to[l->outputs] = sums->a[i];
    to[2 * l->outputs] = sums->b[i];
    to[3 * l->outputs] = sums->low[i];
    to[4 * l->outputs] = sums->high[i];
  }
}

/* Puts the totals of all blocks together, always in the same order. `pixels`: how many each block has. */
void finish(const struct convolution *l, const double *totals, const long *pixels, long count);

/* Calls OUT(kind, after, saved kind) with literals. */
#define FOR_KINDS(l, OUT)                                                      \
  do {                                                                         \
    if ((l)->after == STATISTICS) {                                            \
      OUT(FLOAT, STATISTICS, FLOAT);                                           \
    } else if ((l)->kind == FLOAT) {                                           \
      OF_KIND(l, FLOAT, OUT);                                                  \
    } else {                                                                   \
      OF_KIND(l, BFLOAT, OUT);                                                 \
    }                                                                          \
  } while (0)
#define OF_KIND(l, KIND, OUT)                                                  \
  if ((l)->after == NOTHING) OUT(KIND, NOTHING, FLOAT);                        \
  else if ((l)->gradients->saved_kind == BYTE) OUT(KIND, GRADIENTS, BYTE);     \
  else OUT(KIND, GRADIENTS, FLOAT)
