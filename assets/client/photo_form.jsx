// Posts a picture of somebody's face with what was declared beside it. It is made smaller here where the browser can,
// which saves the way of it and reads formats that only this phone knows; the server draws it anew in any case.
import { useEffect, useId, useRef, useState } from "react";

const SMALL = 1_500_000;
const SIDE = 1600;

async function smaller(file) {
  if (file.type === "image/jpeg" && file.size <= SMALL) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "white";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return (await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9))) ?? file;
  } catch {
    return file; // the server says what is wrong with it
  }
}

export function PhotoForm({ action, labels = {}, onDone, children }) {
  const id = useId();
  const running = useRef(null);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const [wrong, setWrong] = useState("");
  useEffect(() => () => running.current?.abort(), []);

  const send = async (event) => {
    event.preventDefault();
    if (busy) return;
    const form = event.target;
    setBusy(true);
    setFault("");
    setWrong("");
    running.current = new AbortController();
    try {
      const body = new FormData(form);
      const file = body.get("photo");
      if (file instanceof File && file.size) body.set("photo", await smaller(file), "photo.jpg");
      const answer = await fetch(action, { method: "POST", body, credentials: "same-origin", signal: running.current.signal });
      if (answer.ok) onDone?.();
      else {
        const told = await answer.json();
        setFault(told.message ?? labels.failed);
        setWrong(told.field ?? "");
        const named = form.elements.namedItem(told.field ?? "");
        (named instanceof RadioNodeList ? named[0] : named)?.focus();
      }
    } catch (error) {
      if (error?.name === "AbortError") return;
      setFault(labels.failed);
    }
    setBusy(false);
  };

  return (
    <form className="form" onSubmit={send} noValidate>
      {children}
      <div className="field">
        <label htmlFor={id}>{labels.file}</label>
        <input id={id} name="photo" type="file" accept="image/*" capture="user" className="input"
          aria-describedby={`${id}-hint`} aria-invalid={wrong === "photo"} onChange={() => { setFault(""); setWrong(""); }} />
        <p id={`${id}-hint`} className="hint">{labels.hint}</p>
      </div>
      <div role="alert">{fault ? <p className="banner no">{fault}</p> : null}</div>
      <button type="submit" className="btn primary big block" disabled={busy} aria-busy={busy}>{busy ? labels.busy : labels.send}</button>
    </form>
  );
}
