// Keyboard of the desk: shortcuts, and a scanner that types. Renders nothing.
// A scanner is recognised by speed from KeyboardEvent.code, so a Chinese input method (key "Process") does not matter.
import { useEffect, useRef } from "react";

const GAP_MS = 35;
const SURE_AT = 4; // characters this fast are no human: from here the field gets nothing
const STALL_MS = 250; // a busy page or computer may hold a scanner up for this long at its first characters
const HELD_MS = 600; // … and for this long once it is known for a scanner: nobody types a code's rest by hand
const REPEAT_MS = 400;
const SHIFTED = { Digit1: "!", Digit2: "@", Digit3: "#", Digit4: "$", Digit5: "%", Digit6: "^", Digit7: "&", Digit8: "*", Digit9: "(", Digit0: ")" };
const PUNCTUATION = {
  Minus: "-_", Equal: "=+", BracketLeft: "[{", BracketRight: "]}", Backslash: "\\|", Semicolon: ";:", Quote: "'\"", Backquote: "`~",
  Comma: ",<", Period: ".>", Slash: "/?", Space: "  ", NumpadAdd: "++", NumpadSubtract: "--", NumpadMultiply: "**", NumpadDivide: "//", NumpadDecimal: "..",
};

// The lines of a machine-readable zone come one by one, each with its Enter, and belong together.
const ZONE_LINES = { 30: 3, 36: 2, 44: 2 };
const ZONE_MS = 3000;
const isZoneLine = (line) => line.length in ZONE_LINES && /^[A-Z0-9<]+$/.test(line);
const beginsZone = (line) => isZoneLine(line) && /^[ACIPV]/.test(line) && line.includes("<");

// What a scanner reads and the desk knows: passes and badges, lines of zones, numbers.
const isKnown = (text) => /^[VB]1[A-Z2-7]{48}$/i.test(text) || (isZoneLine(text.toUpperCase()) && text.includes("<")) || /^\d{8,}$/.test(text);

function charOf(event) {
  const { code, shiftKey } = event;
  if (/^Key[A-Z]$/.test(code)) return shiftKey || /^[A-Z]$/.test(event.key) ? code[3] : code[3].toLowerCase();
  if (/^Digit\d$/.test(code)) return shiftKey ? SHIFTED[code] : code[5];
  if (/^Numpad\d$/.test(code)) return code[6];
  const pair = PUNCTUATION[code];
  return pair ? pair[shiftKey ? 1 : 0] : null;
}

const isField = (el) => !!el && (el.isContentEditable || el.tagName === "TEXTAREA" || el.tagName === "SELECT"
  || (el.tagName === "INPUT" && !["checkbox", "radio", "button", "submit", "reset", "range", "file", "color"].includes(el.type)));
const hasText = (el) => isField(el) && "value" in el && el.tagName !== "SELECT";
const takesEnter = (el) => !!el?.closest?.("button, a[href], summary, select, [role=button], [role=tab], [role=option], [role=menuitem]");

function setValue(el, value, caret) {
  const proto = el.tagName === "TEXTAREA" ? HTMLTextAreaElement.prototype : HTMLInputElement.prototype;
  Object.getOwnPropertyDescriptor(proto, "value").set.call(el, value);
  el.dispatchEvent(new Event("input", { bubbles: true }));
  try { el.setSelectionRange(caret, caret); } catch { /* number and date fields have no caret */ }
}

export function DeskKeys({ keymap = {}, onAction, onScan, singleKeys = true, minScan = 8, enabled = true }) {
  const props = useRef({});
  useEffect(() => {
    props.current = { keymap, onAction, onScan, singleKeys, minScan, enabled };
  });

  useEffect(() => {
    let burst = null; // { text, lead, stamp, last, field, value, start, end, taken, composing }
    let timer = null;
    let single = null;
    let zone = null; // { lines, timer }
    const fired = new Map();

    const act = (name) => {
      const now = performance.now();
      if (now - (fired.get(name) ?? -Infinity) < REPEAT_MS) return;
      fired.set(name, now);
      // Typing may follow the key at once: the search box cannot wait for the server.
      if (name === "search") { document.getElementById("desk-search")?.focus(); return; }
      props.current.onAction?.(name);
    };

    const giveUpZone = () => {
      const held = zone;
      zone = null;
      clearTimeout(held?.timer);
      if (held) props.current.onScan?.(held.lines.join("\n"));
    };
    const scanned = (text) => {
      const line = text.trim().toUpperCase();
      const goesOn = zone && zone.lines[0].length === line.length && isZoneLine(line);
      if (!goesOn) giveUpZone();
      if (!goesOn && !beginsZone(line)) { props.current.onScan?.(text); return; }
      zone ??= { lines: [] };
      zone.lines.push(line);
      clearTimeout(zone.timer);
      if (zone.lines.length === ZONE_LINES[line.length]) giveUpZone();
      else zone.timer = setTimeout(giveUpZone, ZONE_MS);
    };

    // What the scanner typed before we were sure is taken back; with `text` it is put in whole (too short for a code).
    const restore = (b, text) => {
      if (!b.field || !b.field.isConnected) return;
      const put = () => {
        b.field.focus({ preventScroll: true });
        const value = b.value.slice(0, b.start) + text + b.value.slice(b.end);
        if (b.field.value !== value) setValue(b.field, value, b.start + text.length);
      };
      put();
      if (b.composing) setTimeout(put, 0); // an input method may commit its leftovers late
    };
    const drop = () => {
      clearTimeout(timer);
      const b = burst;
      burst = null;
      if (b?.taken) restore(b, b.lead + b.text);
    };
    const begin = (char, event, now, target) => {
      const field = hasText(target) ? target : null;
      const value = field?.value ?? "";
      return { text: char, lead: "", stamp: event.timeStamp, last: now, field, value, start: field?.selectionStart ?? value.length, end: field?.selectionEnd ?? value.length, taken: false, composing: false };
    };

    const onKeyDown = (event) => {
      const p = props.current;
      if (!p.enabled || event.ctrlKey || event.altKey || event.metaKey) return;
      const target = document.activeElement;
      const now = performance.now();
      const char = charOf(event);

      if (char !== null && !event.repeat) {
        clearTimeout(single);
        // The time between the strokes counts, not how long this page was busy with the one before.
        const gap = burst ? Math.min(event.timeStamp - burst.stamp, now - burst.last) : Infinity;
        if (burst && gap <= (burst.taken ? HELD_MS : GAP_MS)) {
          burst.text += char;
        } else if (burst && gap <= STALL_MS && burst.lead.length + burst.text.length < SURE_AT) {
          // Slow typing, or a scanner held up at its first characters: they count if a burst follows.
          Object.assign(burst, { lead: burst.lead + burst.text, text: char });
        } else {
          drop();
          burst = begin(char, event, now, target);
        }
        burst.stamp = event.timeStamp;
        burst.composing ||= event.isComposing || event.key === "Process";
        if (!burst.taken && burst.text.length >= SURE_AT) {
          burst.taken = true;
          burst.field?.blur(); // ends a composition; the rest goes to nobody
        }
        burst.last = performance.now();
        clearTimeout(timer);
        timer = setTimeout(drop, burst.taken ? HELD_MS : STALL_MS);
        if (burst.taken) {
          event.preventDefault();
          event.stopImmediatePropagation();
          return;
        }
      }

      if ((event.key === "Enter" || event.code === "Enter" || event.code === "NumpadEnter") && burst?.taken && now - burst.last <= HELD_MS) {
        const b = burst;
        clearTimeout(timer);
        burst = null;
        event.preventDefault();
        event.stopImmediatePropagation();
        const whole = b.lead + b.text;
        // Slow characters before a burst are a scanner's that was held up, or somebody's who was typing: whichever makes sense.
        const typed = b.lead && !isKnown(whole) && (b.field || isKnown(b.text)) ? b.lead : "";
        const text = whole.slice(typed.length);
        if (text.length >= p.minScan) {
          restore(b, typed);
          scanned(text);
        } else {
          restore(b, whole); // fast but short: never an action by itself
        }
        return;
      }
      // Anything between the characters (Shift alone excepted) ends a burst.
      if (char === null && event.key !== "Shift") drop();

      const modal = document.querySelector("dialog[open]");
      const functionKey = /^F\d{1,2}$/.test(event.key);
      if (functionKey) {
        const name = (event.shiftKey && p.keymap[`Shift+${event.key}`]) || p.keymap[event.key];
        if (!name) return;
        event.preventDefault();
        // A document may be entered while the form of a new visitor is open.
        if (!event.repeat && (!modal || name === "type_document")) act(name);
        return;
      }
      if (modal) return;
      const composing = event.isComposing || event.key === "Process" || event.keyCode === 229;
      if (event.key === "Escape") {
        if (composing) return;
        if (isField(target)) { target.blur(); return; }
        if (p.keymap.Escape ?? p.keymap.Esc) { event.preventDefault(); if (!event.repeat) act(p.keymap.Escape ?? p.keymap.Esc); }
        return;
      }
      if (event.key === "Enter") {
        if (!p.keymap.Enter || composing || isField(target) || takesEnter(target) || (target?.tagName === "INPUT")) return;
        event.preventDefault();
        if (!event.repeat) act(p.keymap.Enter);
        return;
      }
      if (!p.singleKeys || char === null || event.repeat || isField(target)) return;
      const name = p.keymap[char] ?? p.keymap[event.key];
      if (!name) return;
      event.preventDefault();
      single = setTimeout(() => act(name), GAP_MS + 5); // a scanner's first character is not a shortcut
    };

    window.addEventListener("keydown", onKeyDown, true);
    return () => {
      window.removeEventListener("keydown", onKeyDown, true);
      clearTimeout(timer);
      clearTimeout(single);
      clearTimeout(zone?.timer);
    };
  }, []);

  return null;
}
