/* Batch norm, residual sum and ReLU between two convolutions, each direction in two passes over the data.

Data is channels-last: M pixels of C channels each, C a multiple of 16. Values are float, gradients float or bfloat16, and
everything is computed in float. Sums are made over PARTS parts of the pixels, which do not depend on the number of threads, and in each part over
blocks whose sums are added up as double. So the result has the same bits for any number of threads.

A pass keeps K vectors of W channels in registers. K is a constant in each copy of a loop (INLINE functions get it as a
literal), which makes the loops fast. Narrow layers are treated as wider ones of fewer pixels.
*/
#include <math.h>
#include <stdlib.h>

#include "norm.h"

#define PARTS 64
#define BLOCK 256 /* pixels whose sums are kept in float */

/* -- the shape of a pass --------------------------------------------------------------------------------------- */

/* `width` channels in `rows` rows; a row holds several pixels where the layer is narrow. */
struct shape {
  long rows, width;
  int vectors;
};

static struct shape shape_of(long pixels, long channels) {
  struct shape s = {pixels, channels, 1};
  while (s.width <= 32 && s.rows % 2 == 0) s.width *= 2, s.rows /= 2;
  s.vectors = s.width % (4 * W) == 0 ? 4 : s.width % (2 * W) == 0 ? 2 : 1;
  return s;
}

/* The rows of `stat`, repeated for the pixels of a row: a pass multiplies by them. */
static float *widened(const float *rows, int count, long channels, long width) {
  float *wide = aligned_alloc(64, sizeof(float) * count * width);
  for (int r = 0; r < count; r++)
    for (long i = 0; i < width; i++) wide[r * width + i] = rows[r * channels + i % channels];
  return wide;
}

static long first_row(struct shape s, int part) { return s.rows * part / PARTS; }

/* Adds up rows of `width` sums, which each part has, over the parts and then over the pixels of a row. The results are
the first `channels` values of each row, in the place of the first part. */
static double *over_parts(double *sums, int rows, long width, long channels) {
  for (int part = 1; part < PARTS; part++)
    for (long i = 0; i < rows * width; i++) sums[i] += sums[part * rows * width + i];
  for (int r = 0; r < rows; r++)
    for (long i = channels; i < width; i++) sums[r * width + i % channels] += sums[r * width + i];
  return sums;
}

/* Calls BODY with K a literal. */
#define FOR_VECTORS(s, BODY) \
  do {                       \
    if ((s).vectors == 4) {  \
      BODY(4);               \
    } else if ((s).vectors == 2) { \
      BODY(2);               \
    } else {                 \
      BODY(1);               \
    }                        \
  } while (0)

/* -- forward --------------------------------------------------------------------------------------------------- */

INLINE void add_block(double *total, const V *sums, int K) {
  for (int k = 0; k < K; k++)
    for (int i = 0; i < W; i++) total[W * k + i] += sums[k][i];
}

/* Sums of (y - centre) and its square over one part; least and largest y where `range` is not null. */
INLINE void moments(const float *y, struct shape s, int part, const float *centre, double *sum, double *square,
                    float *range, int K) {
  for (long c = 0; c < s.width; c += W * K) {
    V middle[K], low[K], high[K];
    for (int k = 0; k < K; k++) middle[k] = load_floats(centre + c + W * k), low[k] = high[k] = middle[k];
    long end = first_row(s, part + 1);
    for (long row = first_row(s, part); row < end;) {
      V a[K], b[K];
      for (int k = 0; k < K; k++) a[k] = b[k] = (V){0};
      for (long stop = row + BLOCK < end ? row + BLOCK : end; row < stop; row++)
        for (int k = 0; k < K; k++) {
          V v = load_floats(y + row * s.width + c + W * k), d = v - middle[k];
          a[k] += d;
          b[k] += d * d;
          if (range) low[k] = lesser(v, low[k]), high[k] = greater(v, high[k]);
        }
      add_block(sum + c, a, K);
      add_block(square + c, b, K);
    }
    if (range)
      for (int k = 0; k < K; k++) {
        memcpy(range + c + W * k, &low[k], sizeof(V));
        memcpy(range + s.width + c + W * k, &high[k], sizeof(V));
      }
  }
}

void finish_statistics(const struct norm *norm, long channels, long c, double pixels, double mean, double squares,
                       float low, float high) {
  double var = squares > 0 || squares != squares ? squares / pixels : 0;
  double inverse_sd = 1 / sqrt(var + norm->eps), scale = (norm->gamma ? norm->gamma[c] : 1) * inverse_sd;
  float *stat = norm->stat;
  stat[MEAN * channels + c] = mean;
  stat[INVERSE_SD * channels + c] = inverse_sd;
  stat[SCALE * channels + c] = scale;
  stat[SHIFT * channels + c] = (norm->beta ? norm->beta[c] : 0) - mean * scale;
  double reach = high - mean > mean - low ? high - mean : mean - low;
  stat[ALPHA * channels + c] = norm->lean ? (reach > 0 ? reach * inverse_sd / 127 : 1) : inverse_sd;
  stat[DELTA * channels + c] = norm->lean ? 0 : -mean * inverse_sd;
  if (norm->running_mean) {
    double unbiased = pixels > 1 ? var * pixels / (pixels - 1) : var;
    norm->running_mean[c] += norm->momentum * (mean + (norm->bias ? norm->bias[c] : 0) - norm->running_mean[c]);
    norm->running_var[c] += norm->momentum * (unbiased - norm->running_var[c]);
  }
}

/* Computes the batch statistics of y and from them `norm->stat`. */
void onlybn_statistics(const float *y, long pixels, long channels, const struct norm *norm) {
  int lean = norm->lean;
  struct shape s = shape_of(pixels, channels);
  long width = s.width;
  float first[channels];
  for (long c = 0; c < channels; c += W) {
    V v = load_floats(y + c);
    memcpy(first + c, &v, sizeof v);
  }
  float *centre = widened(first, 1, channels, width);
  double *sums = calloc(2 * PARTS * width, sizeof(double));
  float *ranges = lean ? malloc(2 * PARTS * width * sizeof(float)) : NULL;
#pragma omp parallel for schedule(static)
  for (int part = 0; part < PARTS; part++) {
    double *sum = sums + 2 * part * width, *square = sum + width;
    float *range = lean ? ranges + 2 * part * width : NULL;
#define PASS(K) moments(y, s, part, centre, sum, square, range, K)
    FOR_VECTORS(s, PASS);
#undef PASS
  }
  double *total = over_parts(sums, 2, width, channels);
  for (int part = 1; lean && part < PARTS; part++) {
    float *range = ranges + 2 * part * width;
    for (long i = 0; i < width; i++) {
      if (range[i] < ranges[i]) ranges[i] = range[i];
      if (range[width + i] > ranges[width + i]) ranges[width + i] = range[width + i];
    }
  }
  for (long c = 0; c < channels; c++) {
    double sum = total[c], square = total[width + c];
    float low = first[c], high = first[c];
    for (long i = c; lean && i < width; i += channels) {
      if (ranges[i] < low) low = ranges[i];
      if (ranges[width + i] > high) high = ranges[width + i];
    }
    double shift = sum / pixels;
    finish_statistics(norm, channels, c, pixels, first[c] + shift, square - pixels * shift * shift, low, high);
  }
  free(centre);
  free(sums);
  free(ranges);
}

/* z = relu(y * scale + shift [+ other [* other_scale + other_shift]]); the sign as a bit in `signs`; x_hat in 8 bits,
rounded up or down at random, in `bytes`. */
INLINE void apply(const float *y, struct shape s, int part, const float *stat, const float *other,
                  const float *other_stat, float *z, mask *signs, int8_t *bytes, uint32_t seed, int relu, int K) {
  long width = s.width;
  for (long c = 0; c < width; c += W * K) {
    V scale[K], shift[K], other_scale[K], other_shift[K];
    struct fine fine[K];
    for (int k = 0; k < K; k++) {
      long at = c + W * k;
      other_scale[k] = other_shift[k] = (V){0};
      scale[k] = load_floats(stat + SCALE * width + at);
      shift[k] = load_floats(stat + SHIFT * width + at);
      if (other_stat) {
        other_scale[k] = load_floats(other_stat + SCALE * width + at);
        other_shift[k] = load_floats(other_stat + SHIFT * width + at);
      }
      if (bytes) fine[k] = fine_of(stat, width, at);
    }
    for (long row = first_row(s, part), end = first_row(s, part + 1); row < end; row++) {
      U random = bytes ? hash(seed, row * width + c) : (U){0}; /* K is at most 4, so there is a byte for each vector */
      for (int k = 0; k < K; k++) {
        long at = row * width + c + W * k;
        V v = load_floats(y + at), out = normalised(v, scale[k], shift[k]);
        if (other_stat) out = with_residual(out, load_floats(other + at), other_scale[k], other_shift[k], 1);
        else if (other) out = with_residual(out, load_floats(other + at), other_scale[k], other_shift[k], 0);
        if (signs) signs[at / W] = bits((I)(out > 0));
        store_floats(z + at, relu ? clamp(out) : out);
        if (bytes) store_bytes(bytes + at, in_8_bits(v, fine[k], random >> (8 * k)));
      }
    }
  }
}

void onlybn_apply(const float *y, long pixels, long channels, const float *stat, const float *other,
                  const float *other_stat, int relu, float *z, mask *signs, int8_t *bytes, uint32_t seed) {
  struct shape s = shape_of(pixels, channels);
  float *wide = widened(stat, 6, channels, s.width);
  float *other_wide = other_stat ? widened(other_stat, 6, channels, s.width) : NULL;
#pragma omp parallel for schedule(static)
  for (int part = 0; part < PARTS; part++) {
#define PASS(K) apply(y, s, part, wide, other, other_wide, z, signs, bytes, seed, relu, K)
    FOR_VECTORS(s, PASS);
#undef PASS
  }
  free(wide);
  free(other_wide);
}

/* -- backward -------------------------------------------------------------------------------------------------- */

/* Sums of g and g * x_hat over one part; g is `grad` (+ the second) after it has passed back through the ReLU. If `out`
is not null, it gets g, and the sums take g as it is rounded there. */
INLINE void sums_of(const struct gradients *l, struct shape s, int part, const float *stat, const void *grad, void *out,
                    const float *other_stat, double *sums, int relu, int kind, int saved_kind, int K) {
  const void *saved = l->saved, *second = l->second, *other = l->other;
  long width = s.width, end = first_row(s, part + 1);
  for (long c = 0; c < width; c += W * K) {
    V scale[K], shift[K], alpha[K], delta[K], other_alpha[K], other_delta[K];
    for (int k = 0; k < K; k++) {
      long at = c + W * k;
      scale[k] = load_floats(stat + SCALE * width + at), shift[k] = load_floats(stat + SHIFT * width + at);
      alpha[k] = load_floats(stat + ALPHA * width + at), delta[k] = load_floats(stat + DELTA * width + at);
      if (other) {
        other_alpha[k] = load_floats(other_stat + ALPHA * width + at);
        other_delta[k] = load_floats(other_stat + DELTA * width + at);
      }
    }
    for (long row = first_row(s, part); row < end;) {
      V a[K], b[K], d[K];
      for (int k = 0; k < K; k++) a[k] = b[k] = d[k] = (V){0};
      for (long stop = row + BLOCK < end ? row + BLOCK : end; row < stop; row++)
        for (int k = 0; k < K; k++) {
          long at = row * width + c + W * k;
          V v = load(saved, at, saved_kind), g = load(grad, at, kind);
          if (second) g += load(second, at, kind);
          g = through(g, v, scale[k], shift[k], l->signs, at, relu);
          if (out) store(out, at, g, kind), g = load(out, at, kind);
          a[k] += g;
          b[k] += g * (v * alpha[k] + delta[k]);
          if (other) d[k] += g * (load(other, at, saved_kind) * other_alpha[k] + other_delta[k]);
        }
      add_block(sums + c, a, K);
      add_block(sums + width + c, b, K);
      if (other) add_block(sums + 2 * width + c, d, K);
    }
  }
}

static void factors_of(const float *stat, long channels, long c, double pixels, double sum, double weighted,
                       float *factors) {
  double scale = stat[SCALE * channels + c], mean = sum / pixels, slope = weighted / pixels;
  factors[c] = scale;
  factors[channels + c] = -scale * slope * stat[ALPHA * channels + c];
  factors[2 * channels + c] = -scale * (mean + slope * stat[DELTA * channels + c]);
}

void finish_gradients(const struct gradients *l, long channels, long c, double pixels, double sum, double weighted,
                      double other_weighted) {
  l->beta[c] = sum;
  l->gamma[c] = weighted;
  factors_of(l->stat, channels, c, pixels, sum, weighted, l->factors);
  if (l->other) {
    l->other_gamma[c] = other_weighted;
    factors_of(l->other_stat, channels, c, pixels, sum, other_weighted, l->other_factors);
  }
}

/* Computes what `layer` asks for from the gradient `grad` of its output; `out` may be `grad`, or null. */
void onlybn_sums(int kind, long pixels, long channels, const struct gradients *layer, const void *grad, void *out) {
  struct shape s = shape_of(pixels, channels);
  long width = s.width;
  int relu = layer->relu, saved_kind = layer->saved_kind;
  float *wide = widened(layer->stat, 6, channels, width);
  float *other_wide = layer->other ? widened(layer->other_stat, 6, channels, width) : NULL;
  double *sums = calloc(3 * PARTS * width, sizeof(double));
#pragma omp parallel for schedule(static)
  for (int part = 0; part < PARTS; part++) {
    double *own = sums + 3 * part * width;
#define CASE(T, S, K) sums_of(layer, s, part, wide, grad, out, other_wide, own, relu, T, S, K)
#define PASS(K)                                                       \
  if (kind == FLOAT && saved_kind == BYTE) CASE(FLOAT, BYTE, K);      \
  else if (kind == FLOAT) CASE(FLOAT, FLOAT, K);                      \
  else if (saved_kind == BYTE) CASE(BFLOAT, BYTE, K);                 \
  else CASE(BFLOAT, FLOAT, K)
    FOR_VECTORS(s, PASS);
#undef PASS
#undef CASE
  }
  double *total = over_parts(sums, 3, width, channels);
  for (long c = 0; c < channels; c++)
    finish_gradients(layer, channels, c, pixels, total[c], total[width + c], total[2 * width + c]);
  free(wide);
  free(other_wide);
  free(sums);
}

INLINE void input_gradient(const void *saved, struct shape s, int part, const float *stat, const float *factors,
                           const void *grad, const mask *signs, void *out, int relu, int kind, int saved_kind,
                           int K) {
  long width = s.width;
  for (long c = 0; c < width; c += W * K) {
    V scale[K], shift[K], first[K], second[K], third[K];
    for (int k = 0; k < K; k++) {
      long at = c + W * k;
      scale[k] = load_floats(stat + SCALE * width + at), shift[k] = load_floats(stat + SHIFT * width + at);
      first[k] = load_floats(factors + at), second[k] = load_floats(factors + width + at);
      third[k] = load_floats(factors + 2 * width + at);
    }
    for (long row = first_row(s, part), end = first_row(s, part + 1); row < end; row++)
      for (int k = 0; k < K; k++) {
        long at = row * width + c + W * k;
        V v = load(saved, at, saved_kind);
        V g = through(load(grad, at, kind), v, scale[k], shift[k], signs, at, relu);
        store(out, at, g * first[k] + v * second[k] + third[k], kind);
      }
  }
}

/* The gradient of the convolution's output, from what `onlybn_sums` found; `out` may be `saved` or `grad`. */
void onlybn_input_gradient(int kind, int saved_kind, const void *saved, long pixels, long channels, const float *stat,
                           const float *factors, const void *grad, int relu, const mask *signs, void *out) {
  struct shape s = shape_of(pixels, channels);
  float *wide = widened(stat, 6, channels, s.width), *wide_factors = widened(factors, 3, channels, s.width);
#pragma omp parallel for schedule(static)
  for (int part = 0; part < PARTS; part++) {
#define CASE(T, S, K) \
  input_gradient(saved, s, part, wide, wide_factors, grad, signs, out, relu, T, S, K)
#define PASS(K)                                                       \
  if (kind == FLOAT && saved_kind == BYTE) CASE(FLOAT, BYTE, K);      \
  else if (kind == FLOAT) CASE(FLOAT, FLOAT, K);                      \
  else if (saved_kind == BYTE) CASE(BFLOAT, BYTE, K);                 \
  else CASE(BFLOAT, FLOAT, K)
    FOR_VECTORS(s, PASS);
#undef PASS
#undef CASE
  }
  free(wide);
  free(wide_factors);
}
