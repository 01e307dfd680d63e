/* The gradient of a convolution's weight, for browsers; elsewhere PyTorch computes it. */
#include <stdlib.h>

#include "../vectors.h"

#define OUTS 4      /* outputs that are computed together, beside W inputs */
#define BLOCK 16    /* outputs that one thread computes */
#define TOGETHER 16 /* images whose gradients are summed in one go */

/* Outputs `begin` to `end` x inputs of one tap: the products of the gradient and the input that the tap reads, summed over
an image. */
static void tap_of(const float *x, const float *g, long width, long inputs, long out_height, long out_width, long begin,
                   long end, long outputs, long stride, long height, long down, long across, float *to) {
  for (long o = begin; o < end; o += OUTS)
    for (long i = 0; i < inputs; i += W) {
      V sums[OUTS];
      for (int k = 0; k < OUTS; k++) sums[k] = load_floats(to + (o + k) * inputs + i);
      for (long y = 0; y < out_height; y++) {
        long row = y * stride + down;
        if (row < 0 || row >= height) continue;
        long first = across < 0 ? 1 : 0, last = out_width;
        while (last > first && (last - 1) * stride + across >= width) last--;
        const float *from = x + (row * width + first * stride + across) * inputs + i;
        const float *gradient = g + (y * out_width + first) * outputs + o;
        for (long place = first; place < last; place++, from += stride * inputs, gradient += outputs) {
          V v = load_floats(from);
          for (int k = 0; k < OUTS; k++) sums[k] += v * splat(gradient[k]);
        }
      }
      for (int k = 0; k < OUTS; k++) store_floats(to + (o + k) * inputs + i, sums[k]);
    }
}

/* `x`: the input (images, height, width, inputs); `g`: the gradient of the output (images, out_height, out_width,
outputs) -> `to` (outputs, inputs, kernel, kernel). Sums of some images are added up one after another. */
void onlybn_weight_gradient(const float *x, const float *g, long images, long height, long width, long inputs,
                            long out_height, long out_width, long outputs, long kernel, long stride, float *to) {
  long taps = kernel * kernel, size = outputs * inputs;
  float *sums = calloc(taps * size, sizeof *sums), *own = malloc(sizeof *own * taps * size);
  for (long first = 0; first < images; first += TOGETHER) {
    long last = first + TOGETHER < images ? first + TOGETHER : images;
#pragma omp parallel for collapse(2) schedule(static)
    for (long tap = 0; tap < taps; tap++)
      for (long begin = 0; begin < outputs; begin += BLOCK) {
        long end = begin + BLOCK < outputs ? begin + BLOCK : outputs;
        float *of_tap = own + tap * size;
        memset(of_tap + begin * inputs, 0, sizeof *own * (end - begin) * inputs);
        for (long image = first; image < last; image++)
          tap_of(x + image * height * width * inputs, g + image * out_height * out_width * outputs, width, inputs,
                 out_height, out_width, begin, end, outputs, stride, height, tap / kernel - kernel / 2,
                 tap % kernel - kernel / 2, of_tap);
        for (long i = begin * inputs; i < end * inputs; i++) sums[tap * size + i] += of_tap[i];
      }
  }
  for (long tap = 0; tap < taps; tap++)
    for (long i = 0; i < size; i++) to[i * taps + tap] = sums[tap * size + i];
  free(sums);
  free(own);
}
