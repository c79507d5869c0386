// Stands in the head of every page and runs before anything is shown. Pages are built in the default language; whoever
// reads another one sees nothing until the texts have come, instead of a flash of the wrong ones. When they do not
// come in time, the page is shown as it was built: nothing stays hidden because a socket fails.
(titles, fallback, patience) => {
  const root = document.documentElement;
  const known = Object.keys(titles);
  let source = ""; // the title as the page was built
  let written = ""; // the title that stands there by our doing
  let locale = fallback;

  // The same rule as app/core/i18n.py: the first language we speak among the reader's wishes.
  const guess = () => {
    const chosen = /(?:^|;\s*)locale=([\w-]+)/.exec(document.cookie)?.[1] ?? "";
    for (const wish of [chosen, ...(navigator.languages ?? [navigator.language])]) {
      const found = known.find((name) => name === wish) ?? known.find((name) => name.slice(0, 2) === wish.slice(0, 2));
      if (found) return found;
    }
    return fallback;
  };
  // The builder's title comes back at each navigation, also at a redirect inside the page.
  const retitle = () => {
    const now = document.title;
    if (now !== written) source = now;
    written = titles[locale]?.[source] ?? source;
    if (written !== now) document.title = written;
  };
  const speak = (next) => {
    locale = next;
    root.lang = next;
    retitle();
  };
  const show = () => {
    clearTimeout(timer);
    if (!("language" in root.dataset)) return;
    delete root.dataset.language;
    // What is hidden takes no focus; the field that asked for it gets it now.
    if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
  };

  new MutationObserver(retitle).observe(document.head, { childList: true, subtree: true, characterData: true });
  const first = guess();
  const timer = setTimeout(() => {
    if (!("language" in root.dataset)) return;
    speak(fallback);
    show();
  }, patience);
  if (first !== fallback) root.dataset.language = "pending";
  speak(first);

  window.readerLanguage = {
    // The page speaks this language now: say so, show it, and guess better next time.
    settle(next) {
      speak(next);
      if (guess() !== next) document.cookie = `locale=${next};path=/;max-age=31536000;samesite=lax`;
      show();
    },
  };
}
