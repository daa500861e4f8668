/**
 * What `work` makes of each item, in their order, three at a time: more processes than that only wait for each
 * other, some of them longer than their --timeout.
 */
export async function fewAtATime<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...items.entries()];
  const turn = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next[0]] = await work(next[1]);
    }
  };
  await Promise.all([turn(), turn(), turn()]);
  return results;
}
