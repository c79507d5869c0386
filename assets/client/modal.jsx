// Native modal dialog driven by a value: focus is kept inside and given back by the browser.
// The focus goes to the first useful control, not to the cross, also when that control arrives after the dialog.
import { useEffect, useRef } from "react";

// Whoever opens a form wants to type; whoever opens a list wants its first entry.
const FIRST = [
  ".modal-body [required]",
  ".modal-body :is(input:not([type=hidden]), select, textarea, button, a[href])",
  ".modal-acts :is(button, a[href])",
];

export function Modal({ open = false, onClose, labelId, className = "modal", closeOnBackdrop = true, children }) {
  const dialog = useRef(null);
  useEffect(() => {
    const el = dialog.current;
    if (!el) return;
    if (!open && el.open) el.close();
    if (!open || el.open) return;
    el.showModal();
    const wanted = () => FIRST.map((css) => el.querySelector(css)).find(Boolean);
    // Without scrolling: what stands above the field is read first.
    const settle = () => { wanted()?.focus({ preventScroll: true }); return Boolean(wanted()); };
    if (settle()) return;
    // A list is still on its way. Whoever has pressed something meanwhile is left alone.
    const stop = () => {
      arrival.disconnect();
      el.removeEventListener("keydown", stop);
      el.removeEventListener("pointerdown", stop);
    };
    const arrival = new MutationObserver(() => { if (!el.open || settle()) stop(); });
    arrival.observe(el, { childList: true, subtree: true });
    el.addEventListener("keydown", stop);
    el.addEventListener("pointerdown", stop);
    return stop;
  }, [open]);
  useEffect(() => () => { dialog.current?.close?.(); }, []);
  return (
    <dialog ref={dialog} className={className} aria-labelledby={labelId}
      onCancel={(event) => { event.preventDefault(); onClose?.(); }}
      onMouseDown={(event) => { if (closeOnBackdrop && event.target === dialog.current) onClose?.(); }}>
      {open ? children : null}
    </dialog>
  );
}
