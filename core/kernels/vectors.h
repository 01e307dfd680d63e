/* Vectors of W floats, and how float, bfloat16 and 8-bit values are loaded into them and stored again.

A register of this processor holds W floats. Wider vectors compile, but the compiler splits them into single values (11
times slower on AVX2).
*/
#pragma once
#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__) || defined(__AVX__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))
#define ALONE static __attribute__((noinline)) /* for a loop that needs all registers: none holds a caller's value */

#if defined(__AVX512F__) || defined(ONLYBN_WIDE) /* the latter to try the wide code on any processor */
#define W 16
typedef uint16_t mask; /* a bit for each value of a vector */
#else
#define W 8
typedef uint8_t mask;
#endif

typedef float V __attribute__((vector_size(4 * W)));
typedef int32_t I __attribute__((vector_size(4 * W)));
typedef uint32_t U __attribute__((vector_size(4 * W)));
typedef uint16_t H __attribute__((vector_size(2 * W)));
typedef int8_t B __attribute__((vector_size(W)));

enum kind { FLOAT, BFLOAT, BYTE };

INLINE V splat(float x) { return x - (V){0}; }

typedef float Unaligned __attribute__((vector_size(4 * W), aligned(4), may_alias));

INLINE V load_floats(const float *from) { return *(const Unaligned *)from; }

INLINE void store_floats(float *to, V v) { *(Unaligned *)to = v; }

/* W values from position i of an array of `kind`. */
INLINE V load(const void *from, long i, int kind) {
  if (kind == FLOAT) return load_floats((const float *)from + i);
  if (kind == BFLOAT) {
    H h;
    memcpy(&h, (const uint16_t *)from + i, sizeof h);
#if defined(__AVX512F__)
    return (V)((U)_mm512_cvtepu16_epi32((__m256i)h) << 16);
#elif W == 8 && defined(__AVX2__)
    return (V)((U)_mm256_cvtepu16_epi32((__m128i)h) << 16);
#else
    return (V)(__builtin_convertvector(h, U) << 16);
#endif
  }
  B b;
  memcpy(&b, (const int8_t *)from + i, sizeof b);
#if defined(__AVX512F__)
  return (V)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32((__m128i)b));
#elif W == 8 && defined(__AVX2__)
  return (V)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_cvtsi64_si128((int64_t)b)));
#else
  return __builtin_convertvector(b, V);
#endif
}

INLINE void store(void *to, long i, V v, int kind) {
  if (kind == FLOAT) {
    store_floats((float *)to + i, v);
    return;
  }
#if W == 16 && defined(__AVX512BF16__)
  __m256bh h = _mm512_cvtneps_pbh((__m512)v);
#else
  U u = (U)v, nan = (U)(v != v);
  u = (u + 0x7fff + ((u >> 16) & 1)) >> 16; /* to the nearest, ties to even */
  u = (u & ~nan) | (nan & 0x7fc0);
#if W == 8 && defined(__AVX2__)
  __m128i h = _mm_packus_epi32(_mm256_castsi256_si128((__m256i)u), _mm256_extracti128_si256((__m256i)u, 1));
#else
  H h = __builtin_convertvector(u, H);
#endif
#endif
  memcpy((uint16_t *)to + i, &h, sizeof h);
}

/* Stores whole numbers in 8 bits; a number that does not fit becomes the nearest that does. */
INLINE void store_bytes(int8_t *to, I whole) {
#if defined(__AVX512F__)
  __m128i b = _mm512_cvtsepi32_epi8((__m512i)whole);
#elif W == 8 && defined(__AVX2__)
  __m128i half = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)whole), _mm256_extracti128_si256((__m256i)whole, 1));
  int64_t b = _mm_cvtsi128_si64(_mm_packs_epi16(half, half));
#else
  I much = whole > 127, little = whole < -128;
  B b = __builtin_convertvector((whole & ~much & ~little) | (much & 127) | (little & -128), B);
#endif
  memcpy(to, &b, sizeof(B));
}

INLINE V only(V v, I which) { return (V)((I)v & which); }

/* The lesser and the greater of two values; b where they are equal, or one is NaN. */
INLINE V lesser(V a, V b) {
#if defined(__AVX512F__)
  return (V)_mm512_min_ps((__m512)a, (__m512)b);
#elif W == 8 && defined(__AVX__)
  return (V)_mm256_min_ps((__m256)a, (__m256)b);
#else
  I less = a < b;
  return (V)(((I)a & less) | ((I)b & ~less));
#endif
}

INLINE V greater(V a, V b) {
#if defined(__AVX512F__)
  return (V)_mm512_max_ps((__m512)a, (__m512)b);
#elif W == 8 && defined(__AVX__)
  return (V)_mm256_max_ps((__m256)a, (__m256)b);
#else
  I more = a > b;
  return (V)(((I)a & more) | ((I)b & ~more));
#endif
}

/* Negative values become 0, NaN stays. */
INLINE V clamp(V v) { return greater((V){0}, v); }

INLINE mask bits(I which) {
#if W == 16 && defined(__AVX512DQ__)
  return _mm512_movepi32_mask((__m512i)which);
#elif W == 8 && defined(__AVX__)
  return _mm256_movemask_ps((__m256)which);
#else
  mask packed = 0;
  for (int i = 0; i < W; i++) packed |= (mask)((which[i] & 1) << i);
  return packed;
#endif
}

#if W == 16
static const U places = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#else
static const U places = {0, 1, 2, 3, 4, 5, 6, 7};
#endif

INLINE I spread(mask packed) {
#if defined(__AVX512F__)
  return (I)_mm512_maskz_set1_epi32(packed, -1);
#else
  U one = ((uint32_t)1 - (U){0}) << places;
  return (I)((((uint32_t)packed - (U){0}) & one) == one);
#endif
}
