/* Convolutions of 3 by 3 with stride 1 and one pixel of padding, in Winograd's form F(4 x 4, 3 x 3) (Lavin and Gray, arXiv
1509.09308): 36 products make the 16 outputs of a tile of 4 by 4, where the direct way needs 144. What stands before
such a convolution and behind it is done on the way, so that no pass over the data is made for it.

Data is channels-last, C a multiple of 16, float or bfloat16; everything is computed in float. A line is a row of tiles
of one image. A block is a few lines, as many as stay in the cache: its values of each tile (36 x C), then of each panel
of outputs the products, then the outputs. Blocks and their sums do not depend on the number of threads, so neither does
any bit.
*/
#include <stdlib.h>

#include "norm.h"

#define SIDE 4           /* of a tile of the output */
#define REACH (SIDE + 2) /* of the input that it needs */
#define POINTS (REACH * REACH)
#define VALUES 768    /* inputs x tiles of a block, about */
#define MAX_TILES 48  /* of a block */
#define SUMS 5        /* rows of sums of a block */

/* Tiles that are multiplied together: with two vectors of outputs each, they fill the registers. */
#if W == 16
#define ROWS 12
#else
#define ROWS 6
#endif

/* Keeps the compiler from reading the value anew for each product. */
#if (W == 16 && defined(__AVX512F__)) || (W == 8 && defined(__AVX2__))
#define IN_REGISTER(v) __asm__("" : "+v"(v))
#else
#define IN_REGISTER(v)
#endif

enum before { AS_IS, NORMALISED, GRADIENT };
enum after { NOTHING, STATISTICS, GRADIENTS };

/* `weights`: of onlybn_winograd_weights. `before` says what the convolution is of: the input; relu(input * scale +
shift) with the rows of `stat`; or, with the input as gradient of the output of a norm layer, the gradient of that
layer's convolution (see norm.h). `after` says what becomes of the output, other than being stored: it goes into the
statistics of `norm`; or it is the gradient that `gradients` asks for, then what is stored is behind the ReLU, and the
output may be `gradients->second`. */
struct convolution {
  long images, height, width, inputs, outputs;
  const void *input;
  const float *weights;
  void *output;
  const float *stat, *factors;
  const void *saved;
  const mask *signs;
  const struct norm *norm;
  const struct gradients *gradients;
  int kind, before, after, saved_kind, relu;
};

static long panel_of(long outputs) { return outputs % (2 * W) ? W : 2 * W; }

/* -- weights --------------------------------------------------------------------------------------------------- */

INLINE void weights_in(const V *from, int step, V *to) {
  V sum = from[0] + from[2 * step], middle = from[step];
  V even = from[0] * (1 / 24.f) + from[2 * step] * (1 / 6.f), odd = middle * (1 / 12.f);
  to[0] = from[0] * 0.25f;
  to[1] = (sum + middle) * (-1 / 6.f);
  to[2] = (sum - middle) * (-1 / 6.f);
  to[3] = even + odd;
  to[4] = even - odd;
  to[5] = from[2 * step];
}

/* Weights (outputs, inputs, 3, 3) with strides of their own, which may be negative -> (panels, 36, inputs, panel). */
void onlybn_winograd_weights(const float *weight, long outputs, long inputs, const long *strides, float *to) {
  long panel = panel_of(outputs);
#pragma omp parallel for collapse(2) schedule(static)
  for (long first = 0; first < outputs; first += panel)
    for (long in = 0; in < inputs; in++)
      for (long out = first; out < first + panel; out += W) {
        const float *from = weight + out * strides[0] + in * strides[1];
        V taps[9], rows[6 * 3], points[POINTS];
        for (int tap = 0; tap < 9; tap++) {
          float values[W];
          for (int i = 0; i < W; i++) values[i] = from[i * strides[0] + tap / 3 * strides[2] + tap % 3 * strides[3]];
          taps[tap] = load_floats(values);
        }
        for (int x = 0; x < 3; x++) {
          V column[6];
          weights_in(taps + x, 3, column);
          for (int y = 0; y < 6; y++) rows[3 * y + x] = column[y];
        }
        for (int y = 0; y < 6; y++) weights_in(rows + 3 * y, 1, points + 6 * y);
        for (int point = 0; point < POINTS; point++)
          store_floats(to + (first * POINTS + point * panel) * inputs + in * panel + out - first, points[point]);
      }
}

/* -- input ----------------------------------------------------------------------------------------------------- */

/* One row of pixels of the convolution's input, `at` the first value's place. */
INLINE void read_row(const struct convolution *l, long at, float *to, int kind, int before, int saved_kind) {
  const float *scale = l->stat + SCALE * l->inputs, *shift = l->stat + SHIFT * l->inputs;
  const float *first = l->factors, *second = first + l->inputs, *third = second + l->inputs;
  for (long pixel = 0; pixel < l->width; pixel++, at += l->inputs, to += l->inputs)
    for (long c = 0; c < l->inputs; c += W) {
      V v = load(l->input, at + c, kind);
      if (before == NORMALISED) {
        v = clamp(v * load_floats(scale + c) + load_floats(shift + c));
        if (kind == BFLOAT) {
          uint16_t rounded[W];
          store(rounded, 0, v, kind);
          v = load(rounded, 0, kind);
        }
      }
      if (before == GRADIENT) {
        V saved = load(l->saved, at + c, saved_kind);
        v = through(v, saved, load_floats(scale + c), load_floats(shift + c), l->signs, at + c, l->relu);
        v = v * load_floats(first + c) + saved * load_floats(second + c) + load_floats(third + c);
      }
      store_floats(to + c, v);
    }
}

/* Row y of an image with its padding: `span` pixels, zero where the image is not. */
static void pad_row(const struct convolution *l, long image, long y, long span, float *to) {
  if (y < 0 || y >= l->height) {
    memset(to, 0, sizeof(float) * span * l->inputs);
    return;
  }
  long at = (image * l->height + y) * l->width * l->inputs;
  memset(to, 0, sizeof(float) * l->inputs);
  memset(to + (l->width + 1) * l->inputs, 0, sizeof(float) * (span - l->width - 1) * l->inputs);
  to += l->inputs;
  if (l->kind == FLOAT) {
    if (l->before == AS_IS) memcpy(to, (const float *)l->input + at, sizeof(float) * l->width * l->inputs);
    else if (l->before == NORMALISED) read_row(l, at, to, FLOAT, NORMALISED, FLOAT);
    else if (l->saved_kind == BYTE) read_row(l, at, to, FLOAT, GRADIENT, BYTE);
    else read_row(l, at, to, FLOAT, GRADIENT, FLOAT);
  } else {
    if (l->before == AS_IS) read_row(l, at, to, BFLOAT, AS_IS, BFLOAT);
    else if (l->before == NORMALISED) read_row(l, at, to, BFLOAT, NORMALISED, BFLOAT);
    else if (l->saved_kind == BYTE) read_row(l, at, to, BFLOAT, GRADIENT, BYTE);
    else read_row(l, at, to, BFLOAT, GRADIENT, BFLOAT);
  }
}

INLINE void points_in(V a, V b, V c, V d, V e, V f, float *to, long step) {
  V even = e - 4 * c, odd = d - 4 * b, half = e - c, twice = 2 * (d - b);
  store_floats(to, 4 * a - 5 * c + e);
  store_floats(to + step, even + odd);
  store_floats(to + 2 * step, even - odd);
  store_floats(to + 3 * step, half + twice);
  store_floats(to + 4 * step, half - twice);
  store_floats(to + 5 * step, 4 * b - 5 * d + f);
}

#define SIX(FROM, STEP)                                                                             \
  load_floats((FROM)), load_floats((FROM) + (STEP)), load_floats((FROM) + 2 * (STEP)),              \
      load_floats((FROM) + 3 * (STEP)), load_floats((FROM) + 4 * (STEP)), load_floats((FROM) + 5 * (STEP))

/* W channels of one tile, from six padded rows, `at` in each -> 36 points, `step` apart. */
INLINE void tile_in(float *const *rows, long at, long inputs, float *to) {
  float columns[POINTS * W] __attribute__((aligned(64)));
#pragma GCC unroll 1
  for (int x = 0; x < REACH; x++, at += inputs)
    points_in(load_floats(rows[0] + at), load_floats(rows[1] + at), load_floats(rows[2] + at),
              load_floats(rows[3] + at), load_floats(rows[4] + at), load_floats(rows[5] + at), columns + x * W,
              REACH * W);
#pragma GCC unroll 1
  for (int y = 0; y < REACH; y++)
    points_in(SIX(columns + y * REACH * W, W), to + y * REACH * inputs, inputs);
}

/* -- products -------------------------------------------------------------------------------------------------- */

/* ROWS tiles x K vectors of outputs, at one point. */
INLINE void multiply(const float *values, long inputs, const float *weights, float *to, int K) {
  V sums[ROWS][2];
#pragma GCC unroll 16
  for (int row = 0; row < ROWS; row++)
#pragma GCC unroll 2
    for (int k = 0; k < K; k++) sums[row][k] = (V){0};
#pragma GCC unroll 1
  for (long c = 0; c < inputs; c++) {
    V factors[2];
#pragma GCC unroll 2
    for (int k = 0; k < K; k++) {
      factors[k] = load_floats(weights + (c * K + k) * W);
      IN_REGISTER(factors[k]);
    }
#pragma GCC unroll 16
    for (int row = 0; row < ROWS; row++) {
      V value = splat(values[row * POINTS * inputs + c]);
#pragma GCC unroll 2
      for (int k = 0; k < K; k++) sums[row][k] += value * factors[k];
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < ROWS; row++)
#pragma GCC unroll 2
    for (int k = 0; k < K; k++) store_floats(to + (row * POINTS * K + k) * W, sums[row][k]);
}

/* -- output ---------------------------------------------------------------------------------------------------- */

INLINE void points_out(V a, V b, V c, V d, V e, V f, V *to) {
  V sum = b + c, difference = b - c, other_sum = d + e, other_difference = d - e;
  to[0] = a + sum + other_sum;
  to[1] = difference + 2 * other_difference;
  to[2] = sum + 4 * other_sum;
  to[3] = difference + 8 * other_difference + f;
}

/* What a block has summed up of W channels. STATISTICS: of (y - centre) and its square, least and largest; GRADIENTS: of
g, of g * x_hat, of g * the other layer's x_hat. */
struct sums {
  V centre, a, b, c, low, high;
  int begun;
};

/* The outputs of W channels, from `c` on, of a tile: `points` `step` apart, `at` the place of its first pixel. */
INLINE void tile_out(const struct convolution *l, const float *points, long step, long at, long c, long height,
                     long width, struct sums *sums, int kind, int after, int saved_kind) {
  float columns[SIDE * REACH * W] __attribute__((aligned(64)));
  const struct gradients *g = l->gradients;
  V scale, shift, alpha, delta, other_alpha = {0}, other_delta = {0};
  if (after == GRADIENTS) {
    scale = load_floats(g->stat + SCALE * l->outputs + c), shift = load_floats(g->stat + SHIFT * l->outputs + c);
    alpha = load_floats(g->stat + ALPHA * l->outputs + c), delta = load_floats(g->stat + DELTA * l->outputs + c);
    if (g->other) {
      other_alpha = load_floats(g->other_stat + ALPHA * l->outputs + c);
      other_delta = load_floats(g->other_stat + DELTA * l->outputs + c);
    }
  }
#pragma GCC unroll 1
  for (int x = 0; x < REACH; x++) {
    V column[SIDE];
    points_out(SIX(points + x * step, REACH * step), column);
#pragma GCC unroll 4
    for (int y = 0; y < SIDE; y++) store_floats(columns + (y * REACH + x) * W, column[y]);
  }
#pragma GCC unroll 1
  for (int y = 0; y < (height < SIDE ? height : SIDE); y++) {
    V row[SIDE], a = {0}, b = {0}, other = {0};
    points_out(SIX(columns + y * REACH * W, W), row);
    if (after == STATISTICS && !sums->begun) sums->centre = sums->low = sums->high = row[0], sums->begun = 1;
#pragma GCC unroll 4
    for (int x = 0; x < SIDE; x++) {
      if (x >= width) break;
      long place = at + (y * l->width + x) * l->outputs + c;
      V v = row[x], saved;
      if (after == GRADIENTS) {
        saved = load(g->saved, place, saved_kind);
        if (g->second) v += load(g->second, place, kind);
        v = through(v, saved, scale, shift, g->signs, place, g->relu);
      }
      store(l->output, place, v, kind);
      if (after != NOTHING && kind == BFLOAT) v = load(l->output, place, kind); /* as it is then used */
      if (after == GRADIENTS) {
        a += v;
        b += v * (saved * alpha + delta);
        if (g->other) other += v * (load(g->other, place, saved_kind) * other_alpha + other_delta);
      }
      if (after == STATISTICS) {
        V d = v - sums->centre;
        a += d;
        b += d * d;
        if (l->norm->lean) {
          I less = v < sums->low, more = v > sums->high;
          sums->low = (V)(((I)v & less) | ((I)sums->low & ~less));
          sums->high = (V)(((I)v & more) | ((I)sums->high & ~more));
        }
      }
    }
    if (after != NOTHING) sums->a += a, sums->b += b;
    if (after == GRADIENTS) sums->c += other;
  }
}

/* -- the whole ------------------------------------------------------------------------------------------------- */

struct blocks {
  long down, across; /* lines of an image, tiles of a line */
  long lines, count; /* of a block, of the whole */
  long tiles;        /* of a block, made up to a multiple of ROWS */
  long span;         /* pixels of a padded row */
};

static struct blocks blocks_of(const struct convolution *l) {
  struct blocks b = {(l->height + SIDE - 1) / SIDE, (l->width + SIDE - 1) / SIDE, 1, 0, 0, 0};
  long target = VALUES / l->inputs < ROWS ? ROWS : VALUES / l->inputs, least = -1;
  /* As many lines as come nearest to `target` tiles without more tiles than a third to fill up. */
  for (long lines = 1; lines == 1 || lines * b.across <= MAX_TILES; lines++) {
    long own = lines * b.across, tiles = (own + ROWS - 1) / ROWS * ROWS, cost = 1000 * (tiles - own) / own;
    if (least >= 0 && (b.lines * b.across >= target && cost >= least)) continue;
    b.lines = lines, b.tiles = tiles, least = cost;
  }
  b.count = (l->images * b.down + b.lines - 1) / b.lines;
  b.span = SIDE * b.across + 2;
  return b;
}

static long rounded_up(long bytes) { return (bytes + 63) / 64 * 64; }

/* Memory of this thread, which it keeps. */
static void *scratch(long bytes) {
  static __thread void *kept;
  static __thread long size;
  if (size < bytes) {
    free(kept);
    kept = aligned_alloc(64, bytes);
    size = kept ? bytes : 0;
    if (!kept) abort();
    memset(kept, 0, bytes); /* tiles that only fill up are multiplied, too */
  }
  return kept;
}

INLINE void panel_out(const struct convolution *l, const struct blocks *b, const float *products, long first, long last,
                      long panel, long width, double *totals, int kind, int after, int saved_kind) {
  for (long c = 0; c < width; c += W) {
    struct sums sums = {.begun = 0};
    for (long line = first; line < last; line++) {
      long image = line / b->down, y = line % b->down * SIDE;
      const float *tile = products + (line - first) * b->across * POINTS * width + c;
      for (long x = 0; x < l->width; x += SIDE, tile += POINTS * width)
        tile_out(l, tile, width, ((image * l->height + y) * l->width + x) * l->outputs, panel * width + c,
                 l->height - y, l->width - x, &sums, kind, after, saved_kind);
    }
    if (after == NOTHING) continue;
    double *to = totals + panel * width + c;
    for (int i = 0; i < W; i++, to++) {
      to[0] = after == STATISTICS ? sums.centre[i] : sums.c[i];
      to[l->outputs] = sums.a[i];
      to[2 * l->outputs] = sums.b[i];
      to[3 * l->outputs] = sums.low[i];
      to[4 * l->outputs] = sums.high[i];
    }
  }
}

/* Memory that is read or written soon: fetched while products are made, which need none. */
struct ahead {
  const char *from[6];
  long bytes[6];
  int count;
};

static void soon(struct ahead *ahead, const void *data, int kind, long first, long last) {
  long size = kind == FLOAT ? 4 : kind == BFLOAT ? 2 : 1;
  if (!data || last <= first) return;
  ahead->from[ahead->count] = (const char *)data + first * size;
  ahead->bytes[ahead->count++] = (last - first) * size;
}

/* Of lines `first` to `last`: the first value's place in a tensor of so many channels. */
static long place_of(const struct convolution *l, const struct blocks *b, long line, long channels) {
  long y = line % b->down * SIDE;
  return ((line / b->down) * l->height + y) * l->width * channels;
}

static struct ahead ahead_of(const struct convolution *l, const struct blocks *b, long first, long last) {
  struct ahead ahead = {.count = 0};
  long lines = l->images * b->down, then = last + (last - first) < lines ? last + (last - first) : lines;
  long from = place_of(l, b, last, l->inputs), to = place_of(l, b, then, l->inputs);
  soon(&ahead, l->input, l->kind, from, to);
  if (l->before == GRADIENT) soon(&ahead, l->saved, l->saved_kind, from, to);
  from = place_of(l, b, first, l->outputs), to = place_of(l, b, last, l->outputs);
  soon(&ahead, l->output, l->kind, from, to);
  if (l->after == GRADIENTS) {
    soon(&ahead, l->gradients->saved, l->gradients->saved_kind, from, to);
    soon(&ahead, l->gradients->other, l->gradients->saved_kind, from, to);
    if (l->gradients->second != l->output) soon(&ahead, l->gradients->second, l->kind, from, to);
  }
  return ahead;
}

static void fetch(const struct ahead *ahead, long step, long steps) {
  for (int i = 0; i < ahead->count; i++)
    for (long at = ahead->bytes[i] * step / steps; at < ahead->bytes[i] * (step + 1) / steps; at += 64)
      __builtin_prefetch(ahead->from[i] + at, 0, 2);
}

/* Lines `first` to `last`, from the input to the output. */
static void block(const struct convolution *l, const struct blocks *b, long first, long last, double *totals) {
  long panel = panel_of(l->outputs), row = rounded_up(b->span * l->inputs * sizeof(float)) / sizeof(float);
  long values_size = b->tiles * POINTS * l->inputs;
  float *memory = scratch(sizeof(float) * (REACH * row + values_size + b->tiles * POINTS * panel));
  float *values = memory + REACH * row, *products = values + values_size, *rows[REACH];
  for (long line = first; line < last; line++) {
    long image = line / b->down, y = line % b->down * SIDE;
    int known = line > first && y ? REACH - SIDE : 0; /* rows that the line above has read */
    for (int i = 0; i < REACH; i++)
      rows[i] = memory + (line * SIDE + i) % REACH * row;
    for (int i = known; i < REACH; i++) pad_row(l, image, y + i - 1, b->span, rows[i]);
    for (long x = 0; x < b->across; x++) {
      float *to = values + ((line - first) * b->across + x) * POINTS * l->inputs;
      for (long c = 0; c < l->inputs; c += W) tile_in(rows, x * SIDE * l->inputs + c, l->inputs, to + c);
    }
  }
  struct ahead ahead = ahead_of(l, b, first, last);
  long panels = l->outputs / panel;
  for (long p = 0; p < panels; p++) {
    for (int point = 0; point < POINTS; point++) {
      fetch(&ahead, p * POINTS + point, panels * POINTS);
      const float *weights = l->weights + (p * POINTS + point) * l->inputs * panel;
      for (long tile = 0; tile < b->tiles; tile += ROWS) {
        const float *from = values + (tile * POINTS + point) * l->inputs;
        float *to = products + (tile * POINTS + point) * panel;
        if (panel == 2 * W) multiply(from, l->inputs, weights, to, 2);
        else multiply(from, l->inputs, weights, to, 1);
      }
    }
#define OUT(KIND, AFTER, SAVED) panel_out(l, b, products, first, last, p, panel, totals, KIND, AFTER, SAVED)
#define OF_KIND(KIND)                                                      \
  if (l->after == NOTHING) OUT(KIND, NOTHING, KIND);                       \
  else if (l->after == STATISTICS) OUT(KIND, STATISTICS, KIND);            \
  else if (l->gradients->saved_kind == BYTE) OUT(KIND, GRADIENTS, BYTE);   \
  else OUT(KIND, GRADIENTS, KIND)
    if (l->kind == FLOAT) {
      OF_KIND(FLOAT);
    } else {
      OF_KIND(BFLOAT);
    }
#undef OF_KIND
#undef OUT
  }
}

static long pixels_of(const struct convolution *l, const struct blocks *b, long index) {
  long pixels = 0;
  for (long line = index * b->lines; line < (index + 1) * b->lines && line < l->images * b->down; line++) {
    long left = l->height - line % b->down * SIDE;
    pixels += l->width * (left < SIDE ? left : SIDE);
  }
  return pixels;
}

/* The sums of all blocks put together, always in the same order. */
static void finish(const struct convolution *l, const struct blocks *b, const double *totals) {
  long channels = l->outputs;
  double whole = (double)l->images * l->height * l->width;
  for (long c = 0; c < channels; c++) {
    const double *block = totals + c;
    double pixels = 0, mean = 0, squares = 0, sum = 0, weighted = 0, other = 0, low = block[3 * channels],
           high = block[4 * channels];
    for (long index = 0; index < b->count; index++, block += SUMS * channels) {
      double first = block[0], a = block[channels], ab = block[2 * channels];
      sum += a, weighted += ab, other += first;
      if (l->after == GRADIENTS) continue;
      double own = pixels_of(l, b, index), ours = first + a / own, apart = ours - mean, all = pixels + own;
      squares += ab - a * a / own + apart * apart * pixels * own / all;
      mean += apart * own / all;
      pixels = all;
      if (block[3 * channels] < low) low = block[3 * channels];
      if (block[4 * channels] > high) high = block[4 * channels];
    }
    if (l->after == STATISTICS) finish_statistics(l->norm, channels, c, whole, mean, squares, low, high);
    else finish_gradients(l->gradients, channels, c, whole, sum, weighted, other);
  }
}

void onlybn_winograd(const struct convolution *l) {
  struct blocks b = blocks_of(l);
  double *totals = l->after == NOTHING ? NULL : malloc(sizeof(double) * SUMS * l->outputs * b.count);
  long lines = l->images * b.down;
#pragma omp parallel for schedule(static)
  for (long i = 0; i < b.count; i++) {
    long first = i * b.lines, last = first + b.lines < lines ? first + b.lines : lines;
    block(l, &b, first, last, totals ? totals + i * SUMS * l->outputs : NULL);
  }
  if (totals) finish(l, &b, totals);
  free(totals);
}
