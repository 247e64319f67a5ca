/** The places of the k highest scores, best first; of equal scores the earlier place first. NaN is
 * no score. A heap of k keeps its worst on top. */
export function top(scores, k) {
  const worse = (one, two) => scores[one] < scores[two] || (scores[one] === scores[two] && one > two);
  const heap = [];
  const sink = () => {
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && worse(heap[child], heap[least])) least = child;
      }
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least], heap[at]];
      at = least;
    }
  };
  for (let place = 0; place < scores.length; place += 1) {
    if (Number.isNaN(scores[place])) continue;
    if (heap.length < k) {
      heap.push(place);
      for (let at = heap.length - 1; at > 0;) {
        const parent = (at - 1) >> 1;
        if (!worse(heap[at], heap[parent])) break;
        [heap[at], heap[parent]] = [heap[parent], heap[at]];
        at = parent;
      }
    } else if (worse(heap[0], place)) {
      heap[0] = place;
      sink();
    }
  }
  return heap.sort((one, two) => (worse(two, one) ? -1 : 1));
}
