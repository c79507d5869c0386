// Tells the script in the head which language the page speaks once its texts stand there; draws nothing.
import { useLayoutEffect } from "react";

export function ReaderLanguage({ locale, known = false }) {
  useLayoutEffect(() => {
    if (known) window.readerLanguage?.settle(locale);
  }, [locale, known]);
  return null;
}
