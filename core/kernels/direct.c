/* Convolutions of 3 by 3 with stride 2 and of 1 by 1 pixels, and the backward passes through them: products of values
and weights, summed over the taps. The steps before and after such a convolution (convolution.h) are done in the same
pass.

A line is one row of the output, a block a few lines. In the backward pass through stride 2, pixels at even and at odd
places have different taps, so they are computed separately.
*/
#include "convolution.h"

#define PIXELS 64  /* of a block, about this many or more */
#define BLOCKS 512 /* at most: each has sums of its own */
#define MAX_TAPS 9
#define HELD 3 /* padded rows that are kept */

/* Pixels that are multiplied together: fewer than fill the registers, but the widths of layers are multiples of it. */
#if W == 16
#define GROUP 8
#elif defined(__wasm__)
#define GROUP 2
#else
#define GROUP 4
#endif

/* Weights (outputs, inputs, kernel, kernel) with strides of their own -> (panels, taps, inputs, panel). */
void onlybn_direct_weights(const float *weight, long outputs, long inputs, const long *strides, int kernel, float *to) {
  long panel = panel_of(outputs);
#pragma omp parallel for schedule(static)
  for (long first = 0; first < outputs; first += panel)
    for (int tap = 0; tap < kernel * kernel; tap++) {
      const float *from = weight + first * strides[0] + tap / kernel * strides[2] + tap % kernel * strides[3];
      float *row = to + (first * kernel * kernel + tap * panel) * inputs;
      for (long in = 0; in < inputs; in++)
        for (long out = 0; out < panel; out++) row[in * panel + out] = from[out * strides[0] + in * strides[1]];
    }
}

struct lines {
  long count, of_block, blocks;
  long span;  /* pixels of a padded row */
  long group; /* pixels of a line that are computed together, rounded up to a multiple of GROUP */
};

static struct lines lines_of(const struct convolution *l) {
  long pixels = l->transposed ? (l->out_width + 1) / 2 : l->out_width, step = l->transposed ? 1 : l->stride;
  struct lines s = {l->images * l->out_height, PIXELS / l->out_width, 0, 0, 0};
  long least = (s.count + BLOCKS - 1) / BLOCKS;
  if (s.of_block < least) s.of_block = least;
  s.blocks = (s.count + s.of_block - 1) / s.of_block;
  s.group = (pixels + GROUP - 1) / GROUP * GROUP;
  s.span = s.group * step + 3 > l->width + 2 ? s.group * step + 3 : l->width + 2;
  return s;
}

/* The taps of one line, for its pixels of one parity: where their values begin, and which weights they take. */
struct taps {
  const float *values[MAX_TAPS];
  int tap[MAX_TAPS], count;
};

struct rows {
  float *row[HELD];
  long held[HELD];
};

/* A padded row of the input; reads it if it is not held yet. */
static const float *row_of(const struct convolution *l, const struct lines *s, struct rows *rows, long image, long y) {
  long id = image * (l->height + 2) + y + 1, slot = (y + HELD) % HELD;
  if (rows->held[slot] != id) {
    pad_row(l, image, y, s->span, 0, rows->row[slot]);
    rows->held[slot] = id;
  }
  return rows->row[slot];
}

static struct taps taps_of(const struct convolution *l, const struct lines *s, struct rows *rows, long line, int parity) {
  struct taps taps = {.count = 0};
  long image = line / l->out_height, y = line % l->out_height, pad = l->kernel / 2;
  for (int down = 0; down < l->kernel; down++) {
    long from = l->transposed ? y + pad - down : y * l->stride + down - pad;
    if (l->transposed && from % 2) continue;
    const float *row = row_of(l, s, rows, image, l->transposed ? from / 2 : from);
    for (int across = 0; across < l->kernel; across++) {
      long first = l->transposed ? parity + pad - across : across - pad;
      if (l->transposed && first % 2) continue;
      taps.values[taps.count] = row + ((l->transposed ? first / 2 : first) + 1) * l->inputs;
      taps.tap[taps.count++] = down * l->kernel + across;
    }
  }
  return taps;
}

/* Stores the pixels of one line and parity, of one panel, at their places. */
INLINE void line_out(const struct convolution *l, const float *products, long line, int parity, long panel, long width,
                     struct sums *sums, int kind, int after, int saved_kind) {
  int apart = l->transposed ? 2 : 1;
  for (long i = 0; i < width; i += W, sums++) {
    long c = panel * width + i;
    struct terms terms = terms_of(l, c, after);
    V sum = {0}, weighted = {0}, other = {0};
    const float *from = products + i;
    begin(sums, load_floats(from), after);
    for (long x = parity; x < l->out_width; x += apart, from += width)
      put(&terms, (line * l->out_width + x) * l->outputs + c, load_floats(from), sums, &sum, &weighted, &other, kind,
          after, saved_kind);
    if (after != NOTHING) sums->a += sum, sums->b += weighted;
    if (after == GRADIENTS) sums->c += other;
  }
}

/* The place in the input of the first value that a line reads. */
static long place_of(const struct convolution *l, long line) {
  long y = line % l->out_height;
  return (line / l->out_height * l->height + (l->transposed ? y / 2 : y * l->stride)) * l->width * l->inputs;
}

static struct ahead ahead_of(const struct convolution *l, const struct lines *s, long first, long last) {
  long calls = l->outputs / panel_of(l->outputs) * (s->group / GROUP) * (l->transposed ? 2 : 1);
  struct ahead ahead = {.times = (last - first) * calls};
  long then = last + (last - first) < s->count ? last + (last - first) : s->count;
  long from = place_of(l, last), to = place_of(l, then), row = l->out_width * l->outputs;
  soon(&ahead, l->input, l->kind, from, to);
  if (l->before == GRADIENT) soon(&ahead, l->saved, l->saved_kind, from, to);
  soon(&ahead, l->output, l->kind, first * row, last * row);
  if (l->after == GRADIENTS) {
    soon(&ahead, l->gradients->saved, l->gradients->saved_kind, first * row, last * row);
    soon(&ahead, l->gradients->other, l->gradients->saved_kind, first * row, last * row);
    if (l->gradients->second != l->output) soon(&ahead, l->gradients->second, l->kind, first * row, last * row);
  }
  return ahead;
}

/* The products of GROUP pixels. */
ALONE void multiply_pixels(const float *const *values, const float *const *weights, int taps, long step, long inputs,
                           float *to, long panel) {
  if (panel == 2 * W) multiply(values, weights, taps, step, inputs, to, panel, GROUP, 2);
  else multiply(values, weights, taps, step, inputs, to, panel, GROUP, 1);
}

static void block(const struct convolution *l, const struct lines *s, long first, long last, double *totals) {
  long panel = panel_of(l->outputs), panels = l->outputs / panel, all = l->kernel * l->kernel;
  long row = rounded_up(s->span * l->inputs * sizeof(float)), products_size = s->group * panel * sizeof(float);
  long sums_size = l->outputs / W * sizeof(struct sums), step = l->transposed ? l->inputs : l->stride * l->inputs;
  char *memory = scratch(HELD * row + rounded_up(products_size) + sums_size);
  struct rows rows;
  for (int i = 0; i < HELD; i++) rows.row[i] = (float *)(memory + i * row), rows.held[i] = -1;
  float *products = (float *)(memory + HELD * row);
  struct sums *sums = (struct sums *)(memory + HELD * row + rounded_up(products_size));
  memset(sums, 0, sums_size);
  struct ahead ahead = ahead_of(l, s, first, last);
  for (long line = first; line < last; line++)
    for (int parity = 0; parity < (l->transposed ? 2 : 1); parity++) {
      struct taps taps = taps_of(l, s, &rows, line, parity);
      for (long p = 0; p < panels; p++) {
        const float *values[MAX_TAPS], *weights[MAX_TAPS];
        for (int i = 0; i < taps.count; i++) weights[i] = l->weights + (p * all + taps.tap[i]) * l->inputs * panel;
        for (long x = 0; x < s->group; x += GROUP) {
          fetch(&ahead);
          for (int i = 0; i < taps.count; i++) values[i] = taps.values[i] + x * step;
          float *to = products + x * panel;
          multiply_pixels(values, weights, taps.count, step, l->inputs, to, panel);
        }
#define OUT(KIND, AFTER, SAVED) \
  line_out(l, products, line, parity, p, panel, sums + p * panel / W, KIND, AFTER, SAVED)
        FOR_KINDS(l, OUT);
#undef OUT
      }
    }
#define OUT(KIND, AFTER, SAVED) \
  for (long c = 0; c < l->outputs; c += W) keep(l, sums + c / W, totals, c, AFTER)
  FOR_KINDS(l, OUT);
#undef OUT
}

void onlybn_direct(const struct convolution *l) {
  struct lines s = lines_of(l);
  double *totals = l->after == NOTHING ? NULL : allocated(sizeof(double) * SUMS * l->outputs * s.blocks);
  long *pixels = allocated(sizeof(long) * s.blocks);
#pragma omp parallel for schedule(static)
  for (long i = 0; i < s.blocks; i++) {
    long first = i * s.of_block, last = first + s.of_block < s.count ? first + s.of_block : s.count;
    pixels[i] = (last - first) * l->out_width;
    block(l, &s, first, last, totals ? totals + i * SUMS * l->outputs : NULL);
  }
  finish(l, totals, pixels, s.blocks);
  free(totals);
  free(pixels);
}
