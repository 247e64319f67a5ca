// The best of many scores, of equal scores the earlier row.

#include <stddef.h>
#include <stdlib.h>

typedef struct { float score; size_t row; } Scored;

// The best come last; of equal scores the earlier row does.
static int by_worth(const void *a, const void *b) {
  const Scored *x = a, *y = b;
  if (x->score != y->score) return x->score > y->score ? 1 : -1;
  return (x->row < y->row) - (x->row > y->row);
}

// The best come to stand in a heap, whose first is the one that leaves next.
static void offer(Scored *heap, size_t k, size_t *count, Scored given) {
  if (*count < k) {
    heap[(*count)++] = given;
    if (*count == k) qsort(heap, k, sizeof given, by_worth);
    return;
  }
  if (by_worth(&given, heap) < 0) return;
  size_t at = 0;
  for (size_t child; (child = 2 * at + 1) < k; heap[at] = heap[child], at = child) {
    if (child + 1 < k && by_worth(&heap[child + 1], &heap[child]) < 0) child++;
    if (by_worth(&given, &heap[child]) <= 0) break;
  }
  heap[at] = given;
}
