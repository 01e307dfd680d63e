/* Version 2 of the random draw for browsers: the bits of core/draws/exact.py. docs/draw.md describes every step.

Compile it without fused multiply-add (-ffp-contract=off): each product and each sum is rounded. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* -- SHA-256 (FIPS 180-4) ------------------------------------------------------------------------------------------ */

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turned(uint32_t x, int by) { return x >> by | x << (32 - by); }

static void sha256_block(uint32_t *state, const uint8_t *data) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)data[4 * i] << 24 | data[4 * i + 1] << 16 | data[4 * i + 2] << 8 | data[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (turned(a, 7) ^ turned(a, 18) ^ a >> 3) + (turned(b, 17) ^ turned(b, 19) ^ b >> 10);
  }
  memcpy(s, state, sizeof s);
  for (int i = 0; i < 64; i++) {
    uint32_t one = turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25), choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
    uint32_t zero = turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22);
    uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]), first = s[7] + one + choice + ROUND[i] + w[i];
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += first, s[0] = first + zero + majority;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}

/* `digest`: 32 bytes. */
void onlybn_sha256(const uint8_t *data, long length, uint8_t *digest) {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t last[128] = {0};
  long whole = length / 64 * 64, rest = length - whole, end = rest < 56 ? 64 : 128;
  for (long i = 0; i < whole; i += 64) sha256_block(state, data + i);
  memcpy(last, data + whole, rest);
  last[rest] = 0x80;
  for (int i = 0; i < 8; i++) last[end - 1 - i] = (uint64_t)length * 8 >> (8 * i);
  for (long i = 0; i < end; i += 64) sha256_block(state, last + i);
  for (int i = 0; i < 32; i++) digest[i] = state[i / 4] >> (24 - 8 * (i % 4));
}

/* -- words ----------------------------------------------------------------------------------------------------------- */

/* The words of Philox 4x64 with 10 rounds (Salmon et al. 2011). */
struct stream {
  uint64_t key[2], counter, words[4];
  int used;
};

static uint64_t high_of(uint64_t a, uint64_t b) {
  uint64_t low = (a & 0xffffffff) * (b & 0xffffffff), left = (a >> 32) * (b & 0xffffffff) + (low >> 32);
  uint64_t right = (a & 0xffffffff) * (b >> 32) + (left & 0xffffffff);
  return (a >> 32) * (b >> 32) + (left >> 32) + (right >> 32);
}

static uint64_t word(struct stream *s) {
  if (s->used < 4) return s->words[s->used++];
  uint64_t x[4] = {++s->counter, 0, 0, 0}, key[2] = {s->key[0], s->key[1]};
  const uint64_t first = 0xD2E7470EE14C6C93, second = 0xCA5A826395121157;
  for (int round = 0; round < 10; round++) {
    uint64_t next[4] = {high_of(second, x[2]) ^ x[1] ^ key[0], second * x[2], high_of(first, x[0]) ^ x[3] ^ key[1],
                        first * x[0]};
    memcpy(x, next, sizeof x);
    key[0] += 0x9E3779B97F4A7C15, key[1] += 0xBB67AE8584CAA73B;
  }
  memcpy(s->words, x, sizeof x);
  s->used = 1;
  return x[0];
}

/* A stream for one use of a seed; `text`: such as onlybn/17/stem.conv.weight. Free it. */
struct stream *onlybn_stream(const uint8_t *text, long length) {
  struct stream *s = calloc(1, sizeof *s);
  uint8_t digest[32];
  onlybn_sha256(text, length, digest);
  memcpy(s->key, digest, sizeof s->key);
  s->used = 4;
  return s;
}

/* -- numbers --------------------------------------------------------------------------------------------------------- */

static double uniform(struct stream *s) { return ((double)(word(s) >> 12) + 0.5) * 0x1p-52; }

/* Wichura's AS 241 (1988), PPND16. */
static const double MIDDLE[2][8] = {
    {2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.387132872796366608e0},
    {5.226495278852545925e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0}};
static const double TAIL[2][8] = {
    {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0},
    {1.05075007164441684324e-9, 5.475938084995344946e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0}};
static const double FAR_TAIL[2][8] = {
    {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0},
    {2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.9983220655588793769e-1, 1.0}};

static double ratio(const double of[2][8], double x) {
  double above = of[0][0], below = of[1][0];
  for (int i = 1; i < 8; i++) above = above * x + of[0][i], below = below * x + of[1][i];
  return above / below;
}

static double logarithm(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  int exponent = (int)(bits >> 52 & 0x7ff) - 1022;
  bits = (bits & 0xfffffffffffff) | 0x3fe0000000000000;
  double m;
  memcpy(&m, &bits, sizeof m);
  if (m < 0.7071067811865476) m *= 2, exponent--;
  double s = (m - 1) / (m + 1), square = s * s, series = 1.0 / 23;
  for (int odd = 21; odd > 0; odd -= 2) series = series * square + 1.0 / odd;
  return exponent * 0.6931471805599453 + 2 * s * series;
}

static double normal(struct stream *s) {
  double u = uniform(s), apart = u - 0.5;
  if (apart <= 0.425 && apart >= -0.425) return ratio(MIDDLE, 0.180625 - apart * apart) * apart;
  double root = __builtin_sqrt(-logarithm(u < 0.5 ? u : 1 - u));
  double tail = root > 5 ? ratio(FAR_TAIL, root - 5) : ratio(TAIL, root - 1.6);
  return u < 0.5 ? -tail : tail;
}

void onlybn_draw_uniform(struct stream *s, float *to, long count, double low, double high) {
  for (long i = 0; i < count; i++) to[i] = low + uniform(s) * (high - low);
}

void onlybn_draw_normal(struct stream *s, float *to, long count, double deviation) {
  for (long i = 0; i < count; i++) to[i] = normal(s) * deviation;
}

void onlybn_draw_binary(struct stream *s, float *to, long count, double deviation) {
  for (long i = 0; i < count; i++) to[i] = word(s) >> 63 ? (float)deviation : -(float)deviation;
}

void onlybn_draw_coins(struct stream *s, uint8_t *to, long count) {
  for (long i = 0; i < count; i++) to[i] = word(s) >> 63;
}

void onlybn_draw_below(struct stream *s, int32_t *to, long count, uint32_t bound) {
  for (long i = 0; i < count; i++) to[i] = (word(s) >> 32) * bound >> 32;
}

/* -- orders ---------------------------------------------------------------------------------------------------------- */

struct ranked {
  uint64_t word;
  int32_t place;
};

static int by_word(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  if (x->word != y->word) return x->word < y->word ? -1 : 1;
  return x->place - y->place;
}

/* For each of `rows`, the order of `count` places: (rows, count). */
void onlybn_draw_ranks(struct stream *s, int32_t *to, long rows, long count) {
  struct ranked *all = malloc(sizeof *all * count);
  for (long row = 0; row < rows; row++, to += count) {
    for (long i = 0; i < count; i++) all[i] = (struct ranked){word(s), i};
    qsort(all, count, sizeof *all, by_word);
    for (long i = 0; i < count; i++) to[i] = all[i].place;
  }
  free(all);
}

/* Of each of `outputs` x `fan_in` weights, `used` are normal and the others 0. */
void onlybn_draw_sparse(struct stream *s, float *to, long outputs, long fan_in, long used, double deviation) {
  int32_t *places = malloc(sizeof *places * outputs * fan_in);
  onlybn_draw_ranks(s, places, outputs, fan_in);
  memset(to, 0, sizeof *to * outputs * fan_in);
  for (long row = 0; row < outputs; row++)
    for (long i = 0; i < used; i++) to[row * fan_in + places[row * fan_in + i]] = normal(s) * deviation;
  free(places);
}

/* The sum of values that lie `step` apart: the second half is added to the first until one is left. Writes over them. */
static double total(double *values, long count) {
  while (count > 1) {
    long half = (count + 1) / 2;
    for (long i = 0; i < count - half; i++) values[i] += values[half + i];
    count = half;
  }
  return values[0];
}

/* Orthonormal columns, or rows where there are fewer: (outputs, fan_in). */
void onlybn_draw_orthogonal(struct stream *s, float *to, long outputs, long fan_in) {
  int tall = outputs >= fan_in;
  long length = tall ? outputs : fan_in, count = tall ? fan_in : outputs;
  double *vectors = malloc(sizeof *vectors * length * (count + 1)), *products = vectors + length * count;
  for (long out = 0; out < outputs; out++)
    for (long in = 0; in < fan_in; in++) vectors[tall ? in * length + out : out * length + in] = normal(s);
  for (long i = 0; i < count; i++) {
    double *own = vectors + i * length;
    for (long k = 0; k < length; k++) products[k] = own[k] * own[k];
    double size = __builtin_sqrt(total(products, length));
    for (long k = 0; k < length; k++) own[k] /= size;
    for (double *rest = own + length; rest < vectors + length * count; rest += length) {
      for (long k = 0; k < length; k++) products[k] = own[k] * rest[k];
      double shared = total(products, length);
      for (long k = 0; k < length; k++) rest[k] -= own[k] * shared;
    }
  }
  for (long out = 0; out < outputs; out++)
    for (long in = 0; in < fan_in; in++) to[out * fan_in + in] = vectors[tall ? in * length + out : out * length + in];
  free(vectors);
}
