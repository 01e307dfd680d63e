/* Convolutions of 3 by 3 with stride 1 and one pixel of padding, in Winograd's form F(4 x 4, 3 x 3) (Lavin and Gray,
arXiv 1509.09308): 36 products make the 16 outputs of a tile of 4 by 4, where the direct way needs 144. The steps before
and after such a convolution (convolution.h) are done in the same pass over the data.

Data is channels-last, C a multiple of 16, float or bfloat16; everything is computed in float. A line is a row of tiles
of one image. A block is a few lines, as many as stay in the cache: first the values of each tile (36 x C) are made,
then for each panel of outputs the products and the outputs.
*/
#include "convolution.h"

#define SIDE 4           /* of a tile of the output */
#define REACH (SIDE + 2) /* of the input that it needs */
#define POINTS (REACH * REACH)
#define VALUES 768   /* about the inputs x tiles of a block */
#define MAX_TILES 48 /* of a block */

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

/* -- output ---------------------------------------------------------------------------------------------------- */

INLINE void points_out(V a, V b, V c, V d, V e, V f, V *to) {
  V sum = b + c, difference = b - c, other_sum = d + e, other_difference = d - e;
  to[0] = a + sum + other_sum;
  to[1] = difference + 2 * other_difference;
  to[2] = sum + 4 * other_sum;
  to[3] = difference + 8 * other_difference + f;
}

/* The outputs of W channels of a tile. Its `points` lie `step` apart; `at` is the place of its first pixel. */
INLINE void tile_out(const struct convolution *l, const struct terms *terms, const float *points, long step, long at,
                     long height, long width, struct sums *sums, int kind, int after, int saved_kind) {
  float columns[SIDE * REACH * W] __attribute__((aligned(64)));
#pragma GCC unroll 1
  for (int x = 0; x < REACH; x++) {
    V column[SIDE];
    points_out(SIX(points + x * step, REACH * step), column);
#pragma GCC unroll 4
    for (int y = 0; y < SIDE; y++) store_floats(columns + (y * REACH + x) * W, column[y]);
  }
#pragma GCC unroll 1
  for (int y = 0; y < (height < SIDE ? height : SIDE); y++) {
    V row[SIDE], a = {0}, b = {0}, c = {0};
    points_out(SIX(columns + y * REACH * W, W), row);
    begin(sums, row[0], after);
#pragma GCC unroll 4
    for (int x = 0; x < SIDE; x++) {
      if (x >= width) break;
      long place = at + (y * l->width + x) * l->outputs;
      put(terms, place, row[x], sums, &a, &b, &c, kind, after, saved_kind);
    }
    if (after != NOTHING) sums->a += a, sums->b += b;
    if (after == GRADIENTS) sums->c += c;
  }
}

/* -- the whole ------------------------------------------------------------------------------------------------- */

struct blocks {
  long down, across; /* lines of an image, tiles of a line */
  long lines, count; /* of a block, of the whole */
  long tiles;        /* of a block, rounded up to a multiple of ROWS */
  long span;         /* pixels of a padded row */
};

static struct blocks blocks_of(const struct convolution *l) {
  struct blocks b = {(l->height + SIDE - 1) / SIDE, (l->width + SIDE - 1) / SIDE, 1, 0, 0, 0};
  long target = VALUES / l->inputs < ROWS ? ROWS : VALUES / l->inputs, least = -1;
  /* Takes lines until there are `target` tiles, and more where that leaves fewer padding tiles. */
  for (long lines = 1; lines == 1 || lines * b.across <= MAX_TILES; lines++) {
    long own = lines * b.across, tiles = (own + ROWS - 1) / ROWS * ROWS, cost = 1000 * (tiles - own) / own;
    if (least >= 0 && (b.lines * b.across >= target && cost >= least)) continue;
    b.lines = lines, b.tiles = tiles, least = cost;
  }
  b.count = (l->images * b.down + b.lines - 1) / b.lines;
  b.span = SIDE * b.across + 2;
  return b;
}

INLINE void panel_out(const struct convolution *l, const struct blocks *b, const float *products, long first, long last,
                      long panel, long width, double *totals, int kind, int after, int saved_kind) {
  for (long c = 0; c < width; c += W) {
    struct sums sums = {.begun = 0};
    struct terms terms = terms_of(l, panel * width + c, after);
    for (long line = first; line < last; line++) {
      long image = line / b->down, y = line % b->down * SIDE;
      const float *tile = products + (line - first) * b->across * POINTS * width + c;
      for (long x = 0; x < l->width; x += SIDE, tile += POINTS * width) {
        long at = ((image * l->height + y) * l->width + x) * l->outputs + panel * width + c;
        tile_out(l, &terms, tile, width, at, l->height - y, l->width - x, &sums, kind, after, saved_kind);
      }
    }
    keep(l, &sums, totals, panel * width + c, after);
  }
}

/* The place of a line's first value in a tensor of so many channels. */
static long place_of(const struct convolution *l, const struct blocks *b, long line, long channels) {
  long y = line % b->down * SIDE;
  return ((line / b->down) * l->height + y) * l->width * channels;
}

static struct ahead ahead_of(const struct convolution *l, const struct blocks *b, long first, long last) {
  struct ahead ahead = {.times = l->outputs / panel_of(l->outputs) * POINTS * (b->tiles / ROWS)};
  long lines = l->images * b->down, then = last + (last - first) < lines ? last + (last - first) : lines;
  long from = place_of(l, b, last, l->inputs), to = place_of(l, b, then, l->inputs);
  soon(&ahead, l->input, l->kind, from, to);
  if (l->before == GRADIENT) soon(&ahead, l->saved, l->saved_kind, from, to);
  if (l->before == RESIDUAL) {
    soon(&ahead, l->other, l->kind, from, to);
    soon(&ahead, l->applied, l->kind, from, to);
  }
  soon(&ahead, l->applied_bytes, BYTE, from, to);
  from = place_of(l, b, first, l->outputs), to = place_of(l, b, last, l->outputs);
  soon(&ahead, l->output, l->kind, from, to);
  if (l->after == GRADIENTS) {
    soon(&ahead, l->gradients->saved, l->gradients->saved_kind, from, to);
    soon(&ahead, l->gradients->other, l->gradients->saved_kind, from, to);
    if (l->gradients->second != l->output) soon(&ahead, l->gradients->second, l->kind, from, to);
  }
  return ahead;
}

/* The products of one point of ROWS tiles. */
ALONE void multiply_tiles(const float *from, const float *weights, long inputs, float *to, long panel) {
  if (panel == 2 * W) multiply(&from, &weights, 1, POINTS * inputs, inputs, to, POINTS * panel, ROWS, 2);
  else multiply(&from, &weights, 1, POINTS * inputs, inputs, to, POINTS * panel, ROWS, 1);
}

/* Lines `first` to `last`, from the input to the output. */
static void block(const struct convolution *l, const struct blocks *b, long first, long last, double *totals) {
  long panel = panel_of(l->outputs), row = rounded_up(b->span * l->inputs * sizeof(float)) / sizeof(float);
  long values_size = b->tiles * POINTS * l->inputs;
  float *memory = scratch(sizeof(float) * (REACH * row + values_size + b->tiles * POINTS * panel));
  float *values = memory + REACH * row, *products = values + values_size, *rows[REACH];
  for (long line = first; line < last; line++) {
    long image = line / b->down, y = line % b->down * SIDE;
    int known = line > first && y ? REACH - SIDE : 0; /* rows that the line above has already read */
    for (int i = 0; i < REACH; i++)
      rows[i] = memory + (line * SIDE + i) % REACH * row;
    int next = line + 1 < last && (line + 1) % b->down; /* whether the line below will find the last row read */
    for (int i = known; i < REACH; i++) pad_row(l, image, y + i - 1, b->span, i > 0 && i < REACH - !next, rows[i]);
    for (long x = 0; x < b->across; x++) {
      float *to = values + ((line - first) * b->across + x) * POINTS * l->inputs;
      for (long c = 0; c < l->inputs; c += W) tile_in(rows, x * SIDE * l->inputs + c, l->inputs, to + c);
    }
  }
  struct ahead ahead = ahead_of(l, b, first, last);
  long panels = l->outputs / panel;
  for (long p = 0; p < panels; p++) {
    for (int point = 0; point < POINTS; point++) {
      const float *weights = l->weights + (p * POINTS + point) * l->inputs * panel;
      for (long tile = 0; tile < b->tiles; tile += ROWS) {
        const float *from = values + (tile * POINTS + point) * l->inputs;
        float *to = products + (tile * POINTS + point) * panel;
        fetch(&ahead);
        multiply_tiles(from, weights, l->inputs, to, panel);
      }
    }
#define OUT(KIND, AFTER, SAVED) panel_out(l, b, products, first, last, p, panel, totals, KIND, AFTER, SAVED)
    FOR_KINDS(l, OUT);
#undef OUT
  }
}

static long pixels_of(const struct convolution *l, const struct blocks *b, long first, long last) {
  long pixels = 0;
  for (long line = first; line < last; line++) {
    long left = l->height - line % b->down * SIDE;
    pixels += l->width * (left < SIDE ? left : SIDE);
  }
  return pixels;
}

void onlybn_winograd(const struct convolution *l) {
  struct blocks b = blocks_of(l);
  double *totals = l->after == NOTHING ? NULL : allocated(sizeof(double) * SUMS * l->outputs * b.count);
  long lines = l->images * b.down, *pixels = allocated(sizeof(long) * b.count);
#pragma omp parallel for schedule(static)
  for (long i = 0; i < b.count; i++) {
    long first = i * b.lines, last = first + b.lines < lines ? first + b.lines : lines;
    pixels[i] = pixels_of(l, &b, first, last);
    block(l, &b, first, last, totals ? totals + i * SUMS * l->outputs : NULL);
  }
  finish(l, totals, pixels, b.count);
  free(totals);
  free(pixels);
}
