// A button that copies or shares a text and says what came of it. On plain HTTP browsers hide the clipboard and
// share interfaces, so copying falls back on the old command and sharing on copying.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function HandOver({ text, share = false, onDone, className, children }) {
  const act = async () => {
    if (share && navigator.share) {
      try {
        await navigator.share({ text });
        onDone?.("shared");
      } catch (error) {
        if (error?.name !== "AbortError") onDone?.((await copy(text)) ? "copied" : "failed");
      }
      return;
    }
    onDone?.((await copy(text)) ? "copied" : "failed");
  };
  return <button type="button" className={className} onClick={act}>{children}</button>;
}
