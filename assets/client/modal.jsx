// Native modal dialog driven by a value: focus is kept inside and given back by the browser.
import { useEffect, useRef } from "react";

export function Modal({ open = false, onClose, labelId, className = "modal", closeOnBackdrop = true, children }) {
  const dialog = useRef(null);
  useEffect(() => {
    const el = dialog.current;
    if (!el) return;
    if (open && !el.open) {
      el.showModal();
      // The first field, not the cross: whoever opens a form wants to type.
      (el.querySelector(".modal-body [required]") ?? el.querySelector(".modal-body :is(input:not([type=hidden]), select, textarea, button)"))?.focus();
    }
    if (!open && el.open) el.close();
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
