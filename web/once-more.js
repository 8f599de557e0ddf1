// A part of the page that did not come, since the network changed just then, say, is asked for again: the page is loaded
// once more, some times, later and later. A module could not do this: it might be what did not come.
{
  const TRIES = "legenda-tries";
  const MOST_TRIES = 4;
  addEventListener(
    "error",
    (event) => {
      if (!(event.target instanceof HTMLScriptElement)) return;
      const tries = Number(history.state?.[TRIES] ?? 0) + 1;
      if (tries > MOST_TRIES) return;
      history.replaceState({ ...history.state, [TRIES]: tries }, "");
      setTimeout(() => location.reload(), 500 * tries);
    },
    true, // such errors do not bubble
  );
}
