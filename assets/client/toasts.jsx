// Short notices: read out politely, gone by themselves unless they report a failure or are pointed at.
import { useEffect, useRef } from "react";

const SHOW_MS = 6000;
const MARKS = {
  ok: <path d="M20 6 9 17l-5-5" />,
  wait: <path d="M5 22h14M5 2h14M17 22v-4.2a2 2 0 0 0-.6-1.4L12 12l-4.4 4.4a2 2 0 0 0-.6 1.4V22M7 2v4.2a2 2 0 0 0 .6 1.4L12 12l4.4-4.4a2 2 0 0 0 .6-1.4V2" />,
  eye: <><path d="M2 12s3.6-7 10-7 10 7 10 7-3.6 7-10 7-10-7-10-7" /><circle cx="12" cy="12" r="3" /></>,
  no: <><path d="M18 11V6a2 2 0 0 0-2-2a2 2 0 0 0-2 2M14 10V4a2 2 0 0 0-2-2a2 2 0 0 0-2 2v2M10 10.5V6a2 2 0 0 0-2-2a2 2 0 0 0-2 2v8" /><path d="M18 8a2 2 0 1 1 4 0v6a8 8 0 0 1-8 8h-2c-2.8 0-4.5-.86-5.99-2.34l-3.6-3.6a2 2 0 0 1 2.83-2.82L7 15" /></>,
  info: <><circle cx="12" cy="12" r="10" /><path d="M12 16v-4M12 8h.01" /></>,
};

function Toast({ item, onDismiss, onUndo, labels }) {
  const hold = useRef(false);
  const dismiss = useRef(onDismiss);
  dismiss.current = onDismiss;
  useEffect(() => {
    if (item.tone === "no") return undefined;
    let left = SHOW_MS;
    const timer = setInterval(() => {
      if (hold.current || document.hidden) return;
      left -= 250;
      if (left <= 0) {
        clearInterval(timer);
        dismiss.current?.(item.id);
      }
    }, 250);
    return () => clearInterval(timer);
  }, [item.id, item.tone]);
  const set = (value) => () => { hold.current = value; };
  return (
    <div className={`toast ${item.tone ?? ""}`} onMouseEnter={set(true)} onMouseLeave={set(false)} onFocus={set(true)} onBlur={set(false)}>
      <svg className="i" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">{MARKS[item.tone] ?? MARKS.info}</svg>
      <span className="grow">{item.text}</span>
      {item.undo ? <button type="button" className="btn quiet small" onClick={() => onUndo?.(item.id)}>{item.undo}</button> : null}
      <button type="button" className="btn quiet icon-only small" aria-label={labels.close} onClick={() => onDismiss?.(item.id)}>
        <svg className="i" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" aria-hidden="true"><path d="M18 6 6 18M6 6l12 12" /></svg>
      </button>
    </div>
  );
}

export function Toasts({ items = [], onDismiss, onUndo, labels = {} }) {
  const list = items ?? [];
  const urgent = list.filter((item) => item.tone === "no");
  const calm = list.filter((item) => item.tone !== "no");
  const draw = (item) => <Toast key={item.id} item={item} onDismiss={onDismiss} onUndo={onUndo} labels={labels} />;
  return (
    <section className="toasts" aria-label={labels.region}>
      <div className="col" role="alert">{urgent.map(draw)}</div>
      <div className="col" role="status">{calm.map(draw)}</div>
    </section>
  );
}
