/* A batch norm layer as its kernels know it: what they get, and what they compute. core/engine/structures.py has the
same structures.

The backward pass needs `saved` of a layer: its convolution's output, or (lean) the normalised values in 8 bits. In both
cases x_hat = saved * alpha + delta. `stat` holds 6 rows of C floats, `enum row`; the layer's output is
y * scale + shift.
*/
#pragma once
#include "vectors.h"

enum relu { NONE, RECOMPUTE, MASK };
enum row { MEAN, INVERSE_SD, SCALE, SHIFT, ALPHA, DELTA };

/* Turns the moments of a batch into `stat`. gamma, beta, bias and the running statistics may be null. `bias` is the
convolution's, which was not added: it changes only the running mean. If `lean`, alpha is the step of the 8-bit
values. */
struct norm {
  const float *gamma, *beta, *bias;
  float *running_mean, *running_var;
  double eps, momentum;
  int lean;
  float *stat;
};

/* Turns g, the gradient that has passed back through a layer's ReLU, into those of gamma, beta and the convolution's
output. The last is f[0] * g + f[1] * saved + f[2] with the rows f of `factors`. `second`: added to the gradient before
it passes the ReLU; may be null. `other`: `saved` of the shortcut's layer, which gets the same g; may be null. */
struct gradients {
  const void *saved;
  const float *stat;
  const void *second;
  const mask *signs;
  const void *other;
  const float *other_stat;
  float *beta, *gamma, *factors, *other_gamma, *other_factors;
  int saved_kind, relu;
};

/* `mean`: of y over `pixels`; `squares`: the sum of (y - mean) squared; `low`, `high`: the least and the largest y,
read only if lean. */
void finish_statistics(const struct norm *norm, long channels, long c, double pixels, double mean, double squares,
                       float low, float high);

/* The three sums of one channel: of g, of g * x_hat, of g * the other layer's x_hat. */
void finish_gradients(const struct gradients *g, long channels, long c, double pixels, double sum, double weighted,
                      double other_weighted);

/* The gradient where the ReLU let the value through, else 0. Which it is: recomputed from y, or read from the mask. */
INLINE V through(V gradient, V saved, V scale, V shift, const mask *signs, long at, int relu) {
  if (relu == RECOMPUTE) return only(gradient, (I)(saved * scale + shift > 0));
  if (relu == MASK) return only(gradient, spread(signs[at / W]));
  return gradient;
}

/* The output of a layer for a value y of its convolution. with_residual adds the residual, which is scaled too if it
comes from a shortcut's layer. */
INLINE V normalised(V y, V scale, V shift) { return y * scale + shift; }

INLINE V with_residual(V out, V other, V other_scale, V other_shift, int scaled) {
  return scaled ? out + (other * other_scale + other_shift) : out + other;
}

/* -- 8 bits ---------------------------------------------------------------------------------------------------- */

/* 32 random bits for each of the positions i, i + 1, ...; a function of the position and `seed`. */
INLINE U hash(uint32_t seed, long i) {
  U u = ((uint32_t)i + places) * 0x9e3779b1u + seed;
  u = (u ^ (u >> 16)) * 0x85ebca6bu;
  return u ^ (u >> 13);
}

/* y * factor + offset: x_hat in 256ths of a step. A step is ALPHA. */
struct fine {
  V factor, offset;
};

INLINE struct fine fine_of(const float *stat, long channels, long c) {
  V steps = load_floats(stat + INVERSE_SD * channels + c) / load_floats(stat + ALPHA * channels + c);
  V factor = steps * 256;
  return (struct fine){factor, -load_floats(stat + MEAN * channels + c) * factor};
}

/* y in steps, rounded down or up by the lowest byte of `random`, so that it is right on average. */
INLINE I in_8_bits(V y, struct fine fine, U random) {
  V shifted = y * fine.factor + fine.offset + 0x1.8p23f; /* whose last bits are the nearest whole number */
  return ((I)shifted - 0x4b400000 + (I)(random & 255)) >> 8;
}
