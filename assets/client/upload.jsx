// Posts one file and shows the result: how much was entered, or which rows are wrong and why. Words come as labels.
import { useEffect, useId, useRef, useState } from "react";

const fill = (text, values) => Object.entries(values).reduce((all, [key, value]) => all.replaceAll(`{${key}}`, String(value)), text ?? "");

export function SheetUpload({ action, accept, labels = {}, onDone }) {
  const id = useId();
  const input = useRef(null);
  const running = useRef(null);
  const [file, setFile] = useState(null);
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState(null);
  useEffect(() => () => running.current?.abort(), []);

  const send = async (event) => {
    event.preventDefault();
    if (!file || busy) return;
    setBusy(true);
    setResult(null);
    running.current = new AbortController();
    try {
      const body = new FormData();
      body.append("file", file);
      const answer = await fetch(action, { method: "POST", body, credentials: "same-origin", signal: running.current.signal });
      const told = await answer.json();
      if (answer.ok) {
        setResult({ tone: "ok", words: fill(labels.done, told), rows: [] });
        if (input.current) input.current.value = "";
        setFile(null);
        onDone?.();
      } else {
        setResult({ tone: "no", words: told.rows ? told.error : told.message ?? labels.failed, rows: told.rows ?? [] });
      }
    } catch (error) {
      if (error?.name === "AbortError") return;
      setResult({ tone: "no", words: labels.failed, rows: [] });
    }
    setBusy(false);
  };

  const template = `data:text/csv;charset=utf-8,${encodeURIComponent(`\ufeff${labels.template ?? ""}\r\n`)}`;
  return (
    <form className="form" onSubmit={send}>
      <div className="field">
        <label htmlFor={id}>{labels.file}</label>
        <input id={id} ref={input} type="file" accept={accept} required className="input" disabled={busy}
          aria-describedby={`${id}-hint`} onChange={(event) => { setFile(event.target.files?.[0] ?? null); setResult(null); }} />
        <p id={`${id}-hint`} className="hint">{labels.hint} <a className="link" href={template} download={labels.template_name}>{labels.template_link}</a></p>
      </div>
      <button type="submit" className="btn primary" disabled={!file || busy} aria-busy={busy}>{busy ? labels.busy : labels.send}</button>
      <div role={result?.tone === "no" ? "alert" : "status"}>
        {result ? <p className={`banner ${result.tone}`}>{result.words}</p> : null}
      </div>
      {result?.rows.length ? (
        <div className="table-wrap">
          <table className="table">
            <caption className="sr-only">{labels.caption}</caption>
            <thead><tr><th scope="col" className="r">{labels.row}</th><th scope="col">{labels.column}</th><th scope="col">{labels.message}</th></tr></thead>
            <tbody>
              {result.rows.map((row, index) => (
                <tr key={index}><td className="r">{row.row}</td><td>{row.field}</td><td>{row.message}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </form>
  );
}
