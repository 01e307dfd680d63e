/* Puts the sums of a convolution's blocks together. */
#include "convolution.h"

void finish(const struct convolution *l, const double *totals, const long *pixels, long count) {
  long channels = l->outputs;
  double whole = (double)l->images * l->out_height * l->out_width;
  if (l->after == NOTHING) return;
#pragma omp parallel for schedule(static) if (count * channels > 1 << 14)
  for (long c = 0; c < channels; c++) {
    const double *block = totals + c;
    double seen = 0, mean = 0, squares = 0, sum = 0, weighted = 0, other = 0;
    double low = block[3 * channels], high = block[4 * channels];
    for (long index = 0; index < count; index++, block += SUMS * channels) {
      double first = block[0], a = block[channels], b = block[2 * channels];
      sum += a, weighted += b, other += first;
      if (l->after == GRADIENTS) continue;
      /* Combines the moments of two sets (Chan, Golub and LeVeque 1979): a mean far from 0 costs no digits. */
      double own = pixels[index], apart = first + a / own - mean, all = seen + own;
      squares += b - a * a / own + apart * apart * seen * own / all;
      mean += apart * own / all;
      seen = all;
      if (block[3 * channels] < low) low = block[3 * channels];
      if (block[4 * channels] > high) high = block[4 * channels];
    }
    if (l->after == STATISTICS) finish_statistics(l->norm, channels, c, whole, mean, squares, low, high);
    else finish_gradients(l->gradients, channels, c, whole, sum, weighted, other);
  }
}
