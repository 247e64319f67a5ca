// What is known of users beside their clicks, by their rows: inputs `profile_<name>` of the user
// encoder. legoc.c includes it where a model and its tensors are known.

static void read_profile(Model *m, const Json *said) {
  if (!said) return;
  m->profile = need(need(said, "reading", OBJECT), "parts", LIST);
  m->known = read_tensors(m, need(said, "file", TEXT)->text);
}

// The inputs of a graph for one row of users, behind each other; how many. Their data is to be freed.
static size_t give_profile(const Model *m, const Graph *g, int64_t user, Tensor *given) {
  const Json *part = m->profile ? m->profile->first : NULL;
  size_t count = 0;
  for (int place = 0; part; part = part->next, place++) {
    const char *name = need(part, "name", TEXT)->text;
    const int64_t length = (int64_t)need_count(part, "length", 1, 1 << 20);
    char key[32];
    snprintf(key, sizeof key, "%d/ids", place);
    const Tensor *ids = hold(m->known, key, ORT_INT32, 2, -1, length);
    snprintf(key, sizeof key, "%d/lengths", place);
    const Tensor *lengths = hold(m->known, key, ORT_INT32, 1, ids->dims[0], 0);
    if (user >= ids->dims[0]) fail("`%s` has no row %lld" AGAIN, m->known.file, (long long)user);
    const int32_t *own = (const int32_t *)ids->data + user * length;
    const int32_t real = ((const int32_t *)lengths->data)[user];
    if (real < 0 || real > length) fail("`%s` holds a length of %d" AGAIN, m->known.file, real);
    for (size_t i = 0; i < g->count; i++) {
      size_t size = strlen(name);
      if (strncmp(g->in[i], "profile_", 8) || strncmp(g->in[i] + 8, name, size)) continue;
      const char *rest = g->in[i] + 8 + size;
      if (*rest && strcmp(rest, "_mask")) continue;
      if (count + 3 >= PORTS) fail("`%s` reads more than this host gives" AGAIN, g->file);
      int type = *rest ? ORT_BOOL : ORT_INT64;
      int64_t *numbers = *rest ? NULL : take((size_t)length, sizeof *numbers);
      unsigned char *mask = *rest ? take((size_t)length, 1) : NULL;
      for (int64_t at = 0; at < length; at++) {
        if (numbers) numbers[at] = at < real ? own[at] : 0;
        else mask[at] = at < real;
      }
      given[count++] = (Tensor){g->in[i], type, 2, {1, length}, numbers ? (void *)numbers : mask};
    }
  }
  return count;
}
