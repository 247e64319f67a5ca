// What a bundle is written in: JSON and SHA-256; and how a failure ends.

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN "; export the bundle again"
enum { DEPTH = 64, LARGEST = 2147483647 };

#ifdef __SANITIZE_ADDRESS__
// What was read is kept until the process ends.
const char *__asan_default_options(void) { return "detect_leaks=0:allocator_may_return_null=1"; }
#endif

// The one way out of a failure: who embeds this file lets it lead elsewhere.
static _Noreturn void fail(const char *format, ...) {
  va_list given;
  va_start(given, format);
  fputs("error: ", stderr), vfprintf(stderr, format, given), fputc('\n', stderr);
  exit(1);
}

static void *take(size_t count, size_t size) {
  void *block = count < SIZE_MAX / 2 / size ? calloc(1, count * size + 1) : NULL;
  if (!block) fail("there is not enough memory");
  return block;
}

// SHA-256 (FIPS 180-4), whose constants are the fractions of roots of primes.

static uint32_t root(double value) { return (uint32_t)ldexp(value - floor(value), 32); }

static uint32_t turn(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void sha256(const unsigned char *data, size_t size, char hex[65]) {
  uint32_t k[64], h[8], w[64], v[8];
  for (int prime = 2, n = 0, by = 2; n < 64; by = 2, prime++) {
    while (prime % by) by++;
    if (by == prime && n < 8) h[n] = root(sqrt(prime));
    if (by == prime) k[n++] = root(cbrt(prime));
  }
  for (size_t b = 0, whole = size / 64, last = (size + 8) / 64; b <= last; b++) {
    unsigned char end[64] = {0};
    if (b == whole && size % 64) memcpy(end, data + 64 * b, size % 64);
    if (b == whole) end[size % 64] = 0x80;
    for (int i = 0; b == last && i < 8; i++)
      end[63 - i] = (unsigned char)((uint64_t)size * 8 >> 8 * i);
    const unsigned char *at = b < whole ? data + 64 * b : end;
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i++, at += i < 16 ? 4 : 0) {
      uint32_t x = i < 16 ? 0 : w[i - 15], y = i < 16 ? 0 : w[i - 2];
      w[i] = i < 16 ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
                    : w[i - 16] + w[i - 7] + (turn(x, 7) ^ turn(x, 18) ^ x >> 3) +
                          (turn(y, 17) ^ turn(y, 19) ^ y >> 10);
      x = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) + k[i] + w[i] +
          ((v[4] & v[5]) ^ (~v[4] & v[6]));
      y = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) +
          ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
      memmove(v + 1, v, 7 * sizeof *v);
      v[4] += x, v[0] = x + y;
    }
    for (int i = 0; i < 8; i++) h[i] += v[i];
  }
  for (int i = 0; i < 8; i++) snprintf(hex + 8 * i, 9, "%08x", (unsigned)h[i]);
}

// JSON. What follows a text's zero would be lost, so a text that has one is refused.

typedef enum { NOTHING, TRUTH, NUMBER, TEXT, LIST, OBJECT } Kind;
typedef struct Json {
  Kind kind;
  double number;  // of a truth: 0 or 1
  const char *key, *text;
  struct Json *first, *next;
} Json;

typedef struct { const char *at, *end, *file; int depth; } Reader;

static _Noreturn void not_json(const Reader *r) { fail("`%s` is not JSON" AGAIN, r->file); }

static int peek(Reader *r) {
  while (r->at < r->end && *r->at && strchr(" \t\r\n", *r->at)) r->at++;
  return r->at < r->end ? (unsigned char)*r->at : -1;
}

static unsigned read_code(Reader *r) {
  char four[5] = "";
  if (r->end - r->at > 4) memcpy(four, r->at, 4), r->at += 4;
  if (strspn(four, "0123456789abcdefABCDEF") != 4) not_json(r);
  return (unsigned)strtoul(four, NULL, 16);
}

static const char *read_text(Reader *r) {
  const char *close = ++r->at, *marks = "\"\\/bfnrt", *mark;
  while (close < r->end && *close != '"') close += *close == '\\' ? 2 : 1;
  if (close >= r->end) not_json(r);
  char *text = take((size_t)(close - r->at), 1), *to = text;
  while (r->at < close) {
    unsigned code = (unsigned char)*r->at++;
    if (code < 32) not_json(r);
    *to++ = (char)code;
    if (code != '\\') continue;
    mark = *r->at ? strchr(marks, *r->at) : NULL;
    if (mark) to[-1] = "\"\\/\b\f\n\r\t"[mark - marks];
    if (*r->at++ != 'u' || mark) { if (mark) continue; not_json(r); }
    code = read_code(r);
    if (code >> 10 == 54 && r->at[0] == '\\' && r->at[1] == 'u') {
      r->at += 2;
      unsigned low = read_code(r);
      code = low >> 10 == 55 ? 0x10000 + ((code & 1023) << 10 | (low & 1023)) : 0;
    }
    if (!code || code >> 11 == 27) not_json(r);
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    to[-1] = (char)((more ? 0xf00 >> more & 0xff : 0) | code >> 6 * more);
    while (more--) *to++ = (char)(0x80 | (code >> 6 * more & 63));
  }
  r->at = close + 1;
  return text;
}

static Json *read_json(Reader *r) {
  static const char *const words[] = {"null", "false", "true"};
  Json *into = take(1, sizeof *into), **last = &into->first;
  int kind = peek(r);
  if (kind == '{' || kind == '[') {
    if (++r->depth > DEPTH) not_json(r);
    into->kind = kind == '{' ? OBJECT : LIST, r->at++;
    for (int first = 1; peek(r) != kind + 2; first = 0, last = &(*last)->next) {
      const char *key = NULL;
      if (!first && (peek(r) != ',' || !r->at++)) not_json(r);
      if (kind == '{') {
        if (peek(r) != '"') not_json(r);
        key = read_text(r);
        if (peek(r) != ':' || !r->at++) not_json(r);
      }
      *last = read_json(r), (*last)->key = key;
    }
    r->at++, r->depth--;
  } else if (kind == '"') into->text = read_text(r), into->kind = TEXT;
  else if (kind == '-' || (kind >= '0' && kind <= '9')) {
    char *end = NULL;
    into->number = strtod(r->at, &end), into->kind = NUMBER;
    r->at += strspn(r->at, "-+.eE0123456789");  // what strtod reads may depend on the locale
    if (end != r->at || !isfinite(into->number)) not_json(r);
  } else {
    int word = kind == 'n' ? 0 : kind == 'f' ? 1 : 2;
    size_t size = strlen(words[word]);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, words[word], size)) not_json(r);
    r->at += size, into->kind = word ? TRUTH : NOTHING, into->number = word == 2;
  }
  return into;
}

static const Json *parse(const void *text, size_t size, const char *file) {
  Reader r = {text, (const char *)text + size, file, 0};
  const Json *found = read_json(&r);
  if (peek(&r) != -1 || found->kind != OBJECT) not_json(&r);
  return found;
}

// The value of a key, the last of several; NULL where there is none, or null.
static const Json *get(const Json *object, const char *key) {
  const Json *found = NULL, *each = object && object->kind == OBJECT ? object->first : NULL;
  for (; each; each = each->next) found = strcmp(each->key, key) ? found : each;
  return found && found->kind != NOTHING ? found : NULL;
}

static const Json *need(const Json *object, const char *key, Kind kind) {
  const Json *found = get(object, key);
  if (found && found->kind == kind) return found;
  fail("manifest.json is not of the form legoc-bundle/1: `%s`" AGAIN, key);
}

static int is_count(const Json *given, double least, double most) {
  double number = given && given->kind == NUMBER ? given->number : -1;
  return number >= least && number <= most && number == floor(number);
}

static size_t need_count(const Json *object, const char *key, double least, double most) {
  return is_count(get(object, key), least, most) ? (size_t)get(object, key)->number
                                                 : (size_t)need(NULL, key, NUMBER)->number;
}
