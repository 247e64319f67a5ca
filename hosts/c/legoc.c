// A bundle of legoc by onnxruntime alone; docs/bundle.md says what its files hold. A file may come
// from a stranger, so nothing in it is believed before it is checked.
// Letters: N items with row 0, D width, S clicks, P candidates, C vectors of a user.

#define _POSIX_C_SOURCE 200809L

#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "best.h"
#include "ort.h"
#include "reading.h"

#define COPY "; copy the bundle again"
enum { RANK = 8, PORTS = 64, PAIRS = 8000, FLOATS = 4 << 20 };
enum { MANIFEST_LIMIT = 64 << 20, HEADER_LIMIT = 100 << 20 };
static const size_t FILE_LIMIT = (size_t)8 << 30;

typedef struct { const char *name; const unsigned char *data; size_t size; } File;
typedef struct {
  const char *name;
  int type;
  size_t rank;
  int64_t dims[RANK];
  const void *data;
} Tensor;
typedef struct { const char *file; Tensor *all; size_t count; } Tensors;
typedef struct { const char *file, *in[PORTS], *out; size_t count; void *session; } Graph;
typedef struct { const char *id; size_t row; } Place;

typedef struct {
  int folder, by_clicks, product;
  const Ort *ort;
  void *env, *memory;
  File *files;
  size_t file_count, rows, shown, width, history;
  Graph graphs[3];         // item_encoder, user_encoder, predictor
  double temperature, bias, tolerance;
  const float *vectors;    // [N, D]
  Place *ids, *places;     // [N], by row and by id
  const char *cold;        // what a user of whom nothing is known is answered
  const int64_t *popular;  // [N]
  Tensor mean;             // [1, D] or [1, C, D]
  const Json *users, *profile;  // rows by ids; attributes of users, or NULL
  Tensors known;           // what those rows have of them
} Model;

static const char *const GRAPHS[] = {"item_encoder", "user_encoder", "predictor"};

// A file of the bundle, reached over no link, with a zero behind it. said: its size, or -1.
static File read_file(const Model *m, const char *name, double said, size_t limit) {
  int file = dup(m->folder);
  for (const char *part = name, *end; part; part = *end ? end + 1 : NULL) {
    size_t size = strcspn(part, "/");
    char own[256] = "";
    end = part + size;
    if (!size || size >= sizeof own || !strcmp(part, ".") || !strncmp(part, "./", 2) ||
        (size == 2 && !strncmp(part, "..", 2)) || strpbrk(name, "\\:"))
      fail("`%s` leads out of the bundle; do not use this bundle", name);
    memcpy(own, part, size);
    int next = openat(file, own, O_RDONLY | O_NOFOLLOW | (*end ? O_DIRECTORY : O_NONBLOCK));
    close(file), file = next;
    if (next < 0) fail("`%s` is missing, or reached by a link, or cannot be read" COPY, name);
  }
  struct stat found;
  if (fstat(file, &found) || !S_ISREG(found.st_mode)) fail("`%s` is no plain file" COPY, name);
  size_t size = (size_t)found.st_size;
  if (said >= 0 && (double)size != said)
    fail("`%s` has %zu bytes, the manifest says %.0f" COPY, name, size, said);
  if (size > limit) fail("`%s` has %zu bytes, too many for this host", name, size);
  unsigned char *data = take(size, 1);
  FILE *from = fdopen(file, "rb");
  if (!from || fread(data, 1, size, from) < size) fail("`%s` cannot be read to its end" COPY, name);
  fclose(from);
  return (File){name, data, size};
}

static File find_file(const Model *m, const char *name) {
  for (size_t i = 0; i < m->file_count; i++)
    if (!strcmp(m->files[i].name, name)) return m->files[i];
  fail("`%s` has no hash in manifest.json" AGAIN, name);
}

// Tensors.

static Tensors read_tensors(const Model *m, const char *name) {
  static const struct { char name[5]; int type; unsigned char size; } KINDS[] = {
      {"F32", ORT_FLOAT, 4}, {"I32", ORT_INT32, 4}, {"I64", ORT_INT64, 8}, {"BOOL", ORT_BOOL, 1},
      {"U8", ORT_UINT8, 1}, {"F64", 0, 8}, {"F16", 0, 2}, {"I16", 0, 2}, {"I8", 0, 1},
      {"U64", 0, 8}, {"U32", 0, 4}, {"U16", 0, 2}, {"", 0, 0}};
  File file = find_file(m, name);
  uint64_t length = 0;
  for (int i = 7; i >= 0 && file.size >= 8; i--) length = length << 8 | file.data[i];
  if (!length || length > HEADER_LIMIT || length > file.size - 8)
    fail("`%s` is not a safetensors file: its header does not fit into it" AGAIN, name);
  const Json *each = parse(file.data + 8, length, name)->first;
  const unsigned char *body = file.data + 8 + length;
  Tensors found = {name, take(length / 40 + 1, sizeof(Tensor)), 0};
  for (; each; each = each->next) {
    Tensor *t = &found.all[found.count];
    if (!strcmp(each->key, "__metadata__")) continue;
    const Json *dtype = get(each, "dtype"), *dim = get(each, "shape");
    const Json *end = get(each, "data_offsets");
    int kind = 0, ends = 0, right = dtype && dtype->kind == TEXT;
    right = right && dim && dim->kind == LIST && end && end->kind == LIST;
    double place[2] = {0}, bytes;
    while (right && KINDS[kind].size && strcmp(KINDS[kind].name, dtype->text)) kind++;
    bytes = KINDS[kind].size, right = right && KINDS[kind].size;
    for (dim = right ? dim->first : NULL; dim && right; dim = dim->next)
      if ((right = t->rank < RANK && is_count(dim, 0, 9e15)))
        bytes *= dim->number, t->dims[t->rank++] = (int64_t)dim->number;
    for (end = right ? end->first : NULL; end && right; end = end->next)
      if ((right = ends < 2 && is_count(end, 0, (double)(file.size - 8 - length))))
        place[ends++] = end->number;
    if (!right || ends != 2 || place[1] - place[0] != bytes)
      fail("`%s` has no place that fits its shape and the file `%s`" AGAIN, each->key, name);
    t->name = each->key, t->type = KINDS[kind].type, t->data = body + (size_t)place[0];
    if ((uintptr_t)t->data % KINDS[kind].size || t->type == ORT_BOOL) {
      unsigned char *copy = take((size_t)bytes, 1);
      memcpy(copy, t->data, (size_t)bytes), t->data = copy;
      for (size_t i = 0; t->type == ORT_BOOL && i < (size_t)bytes; i++) copy[i] = copy[i] != 0;
    }
    found.count++;
  }
  return found;
}

// The tensor of a file of this type and these dimensions, any where one is -1.
static const Tensor *hold(Tensors from, const char *name, int type, size_t rank, int64_t a,
                          int64_t b) {
  for (const Tensor *t = from.all; t < from.all + from.count; t++)
    if (!strcmp(t->name, name) && t->type == type && t->rank == rank &&
        (a < 0 || t->dims[0] == a) && (rank < 2 || b < 0 || t->dims[1] == b)) return t;
  fail("`%s` does not hold `%s` as the manifest says" AGAIN, from.file, name);
}

static size_t count_of(const Tensor *t) {
  size_t count = 1;
  for (size_t i = 0; i < t->rank; i++) count *= (size_t)t->dims[i];
  return count;
}

static size_t bytes_of(const Tensor *t) {
  int wide = t->type == ORT_INT64 ? 8 : t->type == ORT_FLOAT || t->type == ORT_INT32 ? 4 : 1;
  return count_of(t) * (size_t)wide;
}

// Graphs.

static Graph read_graph(const Json *said) {
  Graph found = {.file = said ? need(said, "file", TEXT)->text : NULL};
  if (!said) return found;
  for (const Json *in = need(said, "inputs", LIST)->first; in; in = in->next)
    if (found.count < PORTS) found.in[found.count++] = need(in, "name", TEXT)->text;
    else fail("`%s` reads more than this host gives" AGAIN, found.file);
  found.out = need(need(said, "outputs", LIST)->first, "name", TEXT)->text;
  return found;
}

static void check(const Model *m, OrtFailure *failure, const char *file) {
  if (!failure) return;
  const char *why = m->ort->GetErrorMessage(failure);
  int line = (int)strcspn(why, "\n");
  fail("`%s` cannot be loaded or computed (%.*s)" AGAIN, file, line, why);
}

static void open_session(const Model *m, Graph *g) {
  void *options = NULL;
  File file = find_file(m, g->file);
  const Ort *ort = m->ort;
  check(m, ort->CreateSessionOptions(&options), g->file);
  check(m, ort->SetSessionLogSeverityLevel(options, 4), g->file);
  check(m, ort->SetSessionGraphOptimizationLevel(options, 1), g->file);
  check(m, ort->SetIntraOpNumThreads(options, 1), g->file);
  // A graph reads no file that was not verified.
  const char *key = "session.model_external_initializers_file_folder_path";
  check(m, ort->AddSessionConfigEntry(options, key, "/dev/null/nowhere"), g->file);
  void **into = &g->session;
  check(m, ort->CreateSessionFromArray(m->env, file.data, file.size, options, into), g->file);
  ort->ReleaseSessionOptions(options);
}

// The output of a graph, given its inputs by name; whoever asks frees its data.
static Tensor run(const Model *m, Graph *g, const Tensor *given, size_t count) {
  const Ort *ort = m->ort;
  void *values[PORTS] = {0}, *made = NULL, *info = NULL, *data = NULL;
  Tensor out = {.name = g->out};
  if (!g->session) open_session(m, g);
  for (size_t i = 0, j; i < g->count; i++) {
    for (j = 0; j < count && strcmp(given[j].name, g->in[i]); j++) continue;
    if (j == count) fail("`%s` reads `%s`, which nothing gives it" AGAIN, g->file, g->in[i]);
    const Tensor *t = &given[j];
    check(m, ort->CreateTensorWithDataAsOrtValue(m->memory, (void *)t->data, bytes_of(t), t->dims,
                                                 t->rank, t->type, &values[i]), g->file);
  }
  check(m, ort->Run(g->session, NULL, g->in, (const void *const *)values, g->count, &g->out, 1,
                    &made), g->file);
  check(m, ort->GetTensorTypeAndShape(made, &info), g->file);
  check(m, ort->GetTensorElementType(info, &out.type), g->file);
  check(m, ort->GetDimensionsCount(info, &out.rank), g->file);
  if (out.rank > RANK || out.type != ORT_FLOAT)
    fail("`%s` gives something else than numbers" AGAIN, g->file);
  check(m, ort->GetDimensions(info, out.dims, out.rank), g->file);
  check(m, ort->GetTensorMutableData(made, &data), g->file);
  void *copy = take(bytes_of(&out), 1);
  if (bytes_of(&out)) memcpy(copy, data, bytes_of(&out));
  out.data = copy;
  ort->ReleaseTensorTypeAndShapeInfo(info), ort->ReleaseValue(made);
  for (size_t i = 0; i < g->count; i++) ort->ReleaseValue(values[i]);
  return out;
}

// The bundle.

#include "profile.h"

static int by_id(const void *a, const void *b) {
  return strcmp(((const Place *)a)->id, ((const Place *)b)->id);
}

static void read_items(Model *m, const char *file) {
  Tensors items = read_tensors(m, file);
  int64_t rows = (int64_t)m->rows;
  const Tensor *ids = hold(items, "ids", ORT_UINT8, 1, -1, 0);
  const char *text = ids->data;
  const int64_t *starts = hold(items, "offsets", ORT_INT64, 1, rows + 1, 0)->data;
  const int64_t end = ids->dims[0];
  m->vectors = hold(items, "vectors", ORT_FLOAT, 2, rows, (int64_t)m->width)->data;
  m->ids = take(m->rows, sizeof(Place)), m->places = take(m->rows, sizeof(Place));
  char *names = take((size_t)end + m->rows, 1);
  int wrong = starts[0] != 0 || starts[rows] != end;
  for (size_t d = 0; d < m->width; d++) wrong |= m->vectors[d] != 0;
  for (size_t row = 0; row < m->rows && !wrong; row++) {
    size_t size = (size_t)(starts[row + 1] - starts[row]);
    if ((wrong = starts[row + 1] < starts[row] || starts[row + 1] > end)) break;
    memcpy(names, text + starts[row], size);
    wrong = strlen(names) != size;
    m->places[row] = m->ids[row] = (Place){names, row}, names += size + 1;
  }
  if (!wrong) qsort(m->places, m->rows, sizeof(Place), by_id);
  for (size_t i = 1; i < m->rows && !wrong; i++) wrong = !by_id(&m->places[i - 1], &m->places[i]);
  if (wrong) fail("the ids or row 0 of `%s` are damaged" AGAIN, file);
}

static void read_cold(Model *m, const Json *said, size_t rank) {
  m->cold = said ? need(said, "answer", TEXT)->text : "model";
  int popular = !strcmp(m->cold, "popularity"), mean = !strcmp(m->cold, "mean");
  if (!popular && !mean) return;
  Tensors from = read_tensors(m, need(said, "file", TEXT)->text);
  if (popular) m->popular = hold(from, "clicks", ORT_INT64, 1, (int64_t)m->rows, 0)->data;
  if (popular) return;
  const Tensor *user = hold(from, "user", ORT_FLOAT, rank, -1, -1);
  m->mean = (Tensor){"users", ORT_FLOAT, rank + 1, {1, user->dims[0], user->dims[1]}, user->data};
}

static void read_manifest(Model *m) {
  File file = read_file(m, "manifest.json", -1, MANIFEST_LIMIT);
  const Json *all = parse(file.data, file.size, file.name), *found = get(all, "format");
  const char *format = found && found->kind == TEXT ? found->text : "";
  if (strncmp(format, "legoc-bundle/1", 14) || (format[14] && format[14] != '.'))
    fail("the bundle has the format `%s`, this host reads legoc-bundle/1" AGAIN, format);
  const char *reads = get(get(all, "reading"), "prompt") ? "whole texts"
                      : get(all, "tokens") ? "what clicked items say"
                      : get(all, "context") ? "what was clicked when" : NULL;
  if (reads) fail("this model reads %s, and this host does not; use the Python runtime", reads);
  for (found = need(all, "files", OBJECT)->first; found; found = found->next) m->file_count++;
  m->files = take(m->file_count, sizeof(File)), m->file_count = 0;
  for (found = get(all, "files")->first; found; found = found->next) {
    char hex[65];
    const char *hash = need(found, "sha256", TEXT)->text;
    file = read_file(m, found->key, (double)need_count(found, "bytes", 0, 9e15), FILE_LIMIT);
    sha256(file.data, file.size, hex);
    if (strcasecmp(hex, hash))
      fail("`%s` is not what was written: its hash differs" COPY, file.name);
    m->files[m->file_count++] = file;
  }
  const Json *plan = need(all, "plan", OBJECT), *items = need(all, "items", OBJECT);
  const char *user = need(plan, "user", TEXT)->text;
  found = need(all, "graphs", OBJECT);
  for (int i = 0; i < 3; i++) m->graphs[i] = read_graph(get(found, GRAPHS[i]));
  m->by_clicks = !strcmp(user, "clicks");
  if (!m->graphs[2].file || (!m->by_clicks && !m->graphs[1].file)) need(NULL, "graphs", OBJECT);
  m->width = need_count(plan, "width", 1, LARGEST);
  m->history = need_count(all, "history", 1, LARGEST);
  m->rows = m->shown = need_count(items, "rows", 1, LARGEST);
  if (get(items, "generated")) m->shown -= need_count(items, "generated", 0, (double)m->rows - 1);
  found = need(need(need(all, "spec", OBJECT), "model", OBJECT), "predict", OBJECT);
  m->product = !strcmp(need(found, "op", TEXT)->text, "Dot") && !strcmp(user, "vector");
  m->temperature = 1, m->tolerance = 1e-4;
  if ((found = get(all, "calibration"))) {
    m->temperature = need(found, "temperature", NUMBER)->number;
    m->bias = need(found, "bias", NUMBER)->number;
  }
  if (get(found = get(all, "certificate"), "tolerance"))
    m->tolerance = need(found, "tolerance", NUMBER)->number;
  read_items(m, need(items, "file", TEXT)->text);
  read_cold(m, get(all, "cold"), strcmp(user, "many") ? 1 : 2);
  read_profile(m, get(all, "profile"));
  if (!(found = get(all, "users"))) return;
  file = find_file(m, need(found, "file", TEXT)->text);
  m->users = need(parse(file.data, file.size, file.name), "values", OBJECT);
}

static void open_bundle(Model *m, const char *folder, const char *library) {
  m->folder = open(folder, O_RDONLY | O_DIRECTORY);
  if (m->folder < 0) fail("there is no bundle at `%s`; check the path", folder);
  read_manifest(m);
  void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  const OrtBase *(*base)(void) = NULL;
  if (loaded) *(void **)&base = dlsym(loaded, "OrtGetApiBase");
  m->ort = base ? base()->GetApi(ORT_VERSION) : NULL;
  if (!m->ort)
    fail("`%s` is not onnxruntime 1.18 or newer; set LEGOC_ONNXRUNTIME to its path", library);
  check(m, m->ort->CreateEnv(4, "legoc", &m->env), library);
  check(m, m->ort->CreateCpuMemoryInfo(0, 0, &m->memory), library);
}

// Answers.

static size_t find_item(const Model *m, const char *id) {
  const Place key = {id, 0}, *found = bsearch(&key, m->places, m->rows, sizeof key, by_id);
  return found ? found->row : 0;
}

// The user [1, D], [1, C, D], or [1, S, D] with its mask, of rows of clicks. Both are to be freed.
static Tensor encode(Model *m, const size_t *rows, size_t count, int64_t user, Tensor *mask) {
  size_t length = count ? count : 1, width = m->width;
  float *clicks = take(length * width, sizeof *clicks);
  unsigned char *real = take(length, 1);
  for (size_t i = 0; i < count; i++) {
    memcpy(clicks + i * width, m->vectors + rows[i] * width, width * sizeof *clicks);
    real[i] = 1;
  }
  Tensor given[PORTS] = {{"clicks", ORT_FLOAT, 3, {1, (int64_t)length, (int64_t)width}, clicks},
                         {"clicks_mask", ORT_BOOL, 2, {1, (int64_t)length}, real},
                         {"user", ORT_INT64, 1, {1}, &user}};
  size_t told = 3 + (m->by_clicks ? 0 : give_profile(m, &m->graphs[1], user, given + 3));
  *mask = given[1], mask->name = "users_mask";
  Tensor found = m->by_clicks ? given[0] : run(m, &m->graphs[1], given, told);
  if (!m->by_clicks) free(clicks);
  while (told-- > 3) free((void *)given[told].data);
  found.name = "users";
  return found;
}

// The logits [P] of rows from `start` on.
static void score(Model *m, const Tensor *given, size_t start, size_t count, float *into) {
  const float *items = m->vectors + start * m->width, *user = given[0].data;
  for (size_t p = 0; m->product && p < count; p++) {
    double sum = 0;
    for (size_t d = 0; d < m->width; d++) sum += (double)user[d] * (double)items[p * m->width + d];
    into[p] = (float)(sum / m->temperature + m->bias);
  }
  if (m->product) return;
  int64_t owner[PAIRS] = {0}, pairs = (int64_t)count;
  Tensor all[4] = {given[0], given[1], {"owner", ORT_INT64, 1, {pairs}, owner},
                   {"items", ORT_FLOAT, 2, {pairs, (int64_t)m->width}, items}};
  Tensor found = run(m, &m->graphs[2], all, 4);
  if (count_of(&found) != count) fail("`%s` scores not each item" AGAIN, m->graphs[2].file);
  memcpy(into, found.data, count * sizeof *into), free((void *)found.data);
}

// The best k, best last; how many there are.
static size_t recommend(Model *m, char **ids, size_t count, const char *name, int keep, size_t k,
                        Scored *best) {
  size_t *rows = take(count, sizeof *rows), known = 0, found = 0, any = 0;
  unsigned char *out = take(m->rows, 1);
  for (size_t i = 0; i < count; i++) {
    rows[known] = find_item(m, ids[i]);
    if (rows[known]) out[rows[known++]] = !keep;
    else fprintf(stderr, "`%s` is not among the items\n", ids[i]);
  }
  const Json *row = name ? get(m->users, name) : NULL;
  if (row && !is_count(row, 1, LARGEST)) fail("the list of users is damaged" AGAIN);
  if (name && !row) fprintf(stderr, "the model knows no user `%s`\n", name);
  int cold = !known && !row, popular = cold && m->popular;
  if (cold && !strcmp(m->cold, "error")) fail("nothing is known of the user; name other clicks");
  if (cold) fprintf(stderr, "nothing is known of the user, who is answered by: %s\n", m->cold);
  size_t skip = known > m->history ? known - m->history : 0;
  Tensor mask, user = encode(m, rows + skip, known - skip, row ? (int64_t)row->number : 0, &mask);
  Tensor given[2] = {cold && m->mean.rank ? m->mean : user, mask};
  if (m->product && count_of(given) != m->width) fail("users and items differ in width" AGAIN);
  size_t step = FLOATS / (count_of(given) + 1) + 1, size;
  float scores[PAIRS];
  for (size_t start = 1; start < m->shown; start += size) {
    size = step < PAIRS ? step : PAIRS;
    size = size < m->shown - start ? size : m->shown - start;
    if (!popular) score(m, given, start, size, scores);
    for (size_t p = 0; p < size; p++) {
      if (popular) scores[p] = (float)log1p((double)m->popular[start + p]);
      if (out[start + p]) continue;
      any = 1;
      if (!isnan(scores[p])) offer(best, k, &found, (Scored){scores[p], start + p});
    }
  }
  if (any && !found) fail("the model gives no number for any item and this user" AGAIN);
  qsort(best, found, sizeof *best, by_worth);
  free(rows), free(out), free((void *)user.data), free((void *)mask.data);
  return found;
}

// max |a - b| / max(1, max |a|), infinite where the shapes differ.
static double compare(const Tensor *x, const Tensor *y) {
  const float *a = x->data, *b = y->data;
  double most = 1, difference = 0;
  if (x->rank != y->rank || memcmp(x->dims, y->dims, sizeof x->dims)) return INFINITY;
  for (size_t i = 0; i < count_of(x); i++) {
    if (!isfinite(a[i]) || !isfinite(b[i])) return INFINITY;
    most = fmax(most, fabs((double)a[i]));
    difference = fmax(difference, fabs((double)a[i] - (double)b[i]));
  }
  return difference / most;
}

// What the graphs gave when they were exported, computed again: `<graph>/<probe>/<port>`.
static void self_test(Model *m) {
  Tensors golden = read_tensors(m, "golden.safetensors");
  Tensor *given = take(golden.count, sizeof *given);
  double largest = 0;
  size_t probes = 0;
  for (Graph *g = m->graphs; g < m->graphs + 3; g++) {
    const char *name = GRAPHS[g - m->graphs], *slash;
    size_t before = probes, head = strlen(name);
    for (const Tensor *t = golden.all; g->file && t < golden.all + golden.count; t++) {
      if (strncmp(t->name, name, head) || t->name[head] != '/') continue;
      slash = strchr(t->name + head + 1, '/');
      if (!slash || strcmp(slash + 1, g->out) || t->type != ORT_FLOAT) continue;
      size_t count = 0, prefix = (size_t)(slash + 1 - t->name);
      for (size_t i = 0; i < golden.count; i++) {
        if (strncmp(golden.all[i].name, t->name, prefix)) continue;
        given[count] = golden.all[i], given[count++].name += prefix;
      }
      Tensor found = run(m, g, given, count);
      double difference = compare(t, &found);
      if (!(difference <= m->tolerance))
        fail("`%s` differs by %.1e from what it gave (`%s`)" AGAIN, g->file, difference, t->name);
      largest = fmax(largest, difference), probes++;
      free((void *)found.data);
    }
    if (g->file && probes == before) fail("golden.safetensors has no probe of %s" AGAIN, name);
  }
  free(given);
  printf("%zu probes, the largest difference is %.1e\n", probes, largest);
}

int main(int count, char **given) {
  static const char usage[] = "legoc BUNDLE [CLICK...] [-k ITEMS] [-u USER] [--keep-clicked]\n"
      "legoc --self-test BUNDLE\n"
      "CLICK: ids of items, most recent last; after -- also such as begin with -.\n"
      "LEGOC_ONNXRUNTIME: the path of onnxruntime's library, where it is not that of `make`.\n";
  char **words = take((size_t)count, sizeof *words), *end = "", *user = NULL;
  const char *library = getenv("LEGOC_ONNXRUNTIME");
  int test = 0, keep = 0, plain = 0;
  size_t known = 0;
  long k = 10;
  for (int i = 1; i < count; i++) {
    if (plain || given[i][0] != '-') words[known++] = given[i];
    else if (!strcmp(given[i], "--")) plain = 1;
    else if (!strcmp(given[i], "--self-test")) test = 1;
    else if (!strcmp(given[i], "--keep-clicked")) keep = 1;
    else if (!strcmp(given[i], "-u") && i + 1 < count) user = given[++i];
    else if (!strcmp(given[i], "-k") && i + 1 < count) k = strtol(given[++i], &end, 10);
    else fail("`%s` is not known\n%s", given[i], usage);
  }
  if (k < 1 || *end) fail("-k: give a whole number of at least 1");
  if (!known || (test && known > 1)) fail("name a bundle\n%s", usage);
  static Model m;
  open_bundle(&m, words[0], library ? library : ORT_LIB);
  if (test) return self_test(&m), 0;
  if ((size_t)k > m.rows) k = (long)m.rows;
  Scored *best = take((size_t)k, sizeof *best);
  size_t found = recommend(&m, words + 1, known - 1, user, keep, (size_t)k, best);
  while (found-- > 0) printf("%s\t%.9g\n", m.ids[best[found].row].id, (double)best[found].score);
  return 0;
}
